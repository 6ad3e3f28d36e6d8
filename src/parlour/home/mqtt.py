"""The house over MQTT: one connection that learns the things, follows their states, commands them."""

import logging
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import aiomqtt
import anyio

from parlour.errors import HomeError
from parlour.home.address import CONNECT_S, Address
from parlour.home.catalogue import Catalogue, Differences
from parlour.home.dispatch import CONFIRM_S, Dispatch
from parlour.home.entities import Change, Command, Entity, Outcome, Places, State
from parlour.home.overrides import NO_OVERRIDES, Overrides
from parlour.ids import EntityId
from parlour.supervise import Health, Stage
from parlour.tasks import task_group

__all__ = ["CONFIRM_S", "Address", "MqttHouse"]

log = logging.getLogger(__name__)

NOBODYS = "parlour/nothing"  # a topic to which nobody subscribes
QUIET_S = 0.2  # retained announcements have all come when none came for so long
SETTLE_S = 5.0  # who never becomes quiet is not waited for longer
SWEEP_S = 5.0  # as long without an announcement after a reconnection: what did not come is gone
POLL_S = 2.0  # who reported nothing by then is asked
POLL_EVERY_S = 0.05  # a radio network takes only so many questions
WATCH_AHEAD = 256  # changes a slow reader may be behind before it misses the oldest
BATCH = 200  # topics of one subscription
GATHER_S = 0.02  # announcements come in bursts: one subscription serves many


class MqttHouse:
    """Satisfies `entities.House`. `run` holds one connection; the rest works from any task.

    `zigbee2mqtt` are the base topics of its bridges, `tasmota` the topic below which Tasmota
    announces itself ("" for neither); `tls_ca` a PEM file of authorities for an mqtts:// URL.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "homeassistant",
        floors: Mapping[str, Sequence[str]] | None = None,
        overrides: Overrides = NO_OVERRIDES,
        zigbee2mqtt: Sequence[str] = ("zigbee2mqtt",),
        tasmota: str = "tasmota/discovery",
        tls_ca: Path | None = None,
    ) -> None:
        self._address = Address(url, tls_ca)
        self._catalogue = Catalogue(
            prefix, floors, zigbee2mqtt=zigbee2mqtt, tasmota=tasmota, overrides=overrides
        )
        self._dispatch = Dispatch(self._catalogue, self._publish)
        self._client: aiomqtt.Client | None = None
        self._revised = anyio.Event()
        self._wanted = anyio.Event()  # there are topics to subscribe to
        self._timed = anyio.Event()  # something expires sooner than was known
        self._subscribed: set[str] = set()
        self._unsettled = anyio.Event()  # somebody came whose id is not made for good
        self._configured_s = 0.0  # when the latest announcement came
        self._watchers: list[_Watcher] = []

    @property
    def entities(self) -> Mapping[EntityId, Entity]:
        return self._catalogue.entities

    @property
    def places(self) -> Places:
        return self._catalogue.places

    @property
    def revision(self) -> int:
        return self._catalogue.revision

    def state(self, entity: EntityId) -> State:
        return self._catalogue.state(entity)

    def set_overrides(self, overrides: Overrides) -> None:
        """Replace what the owner says; entities keep their ids, and watchers hear of changes."""
        self._tell_differences(self._catalogue.set_overrides(overrides))
        self._announce_revision()

    async def run(self, stage: Stage) -> None:
        """Hold one connection; raises HomeError when it cannot be had or is lost."""
        where = self._address
        client = where.client()
        try:
            # The client itself waits CONNECT_S each for the connection and for the broker's word;
            # to cancel it would leave the socket open.
            with anyio.fail_after(3 * CONNECT_S):
                await client.__aenter__()
        except (aiomqtt.MqttError, TimeoutError, OSError) as error:
            await _close(client)  # a broker may take a connection and say nothing
            why = where.explain(error)
            raise HomeError(f"no connection to the MQTT broker {where.shown}: {why}") from error
        try:
            await self._follow(client, stage)
        except aiomqtt.MqttError as error:
            why = where.explain(error)
            raise HomeError(f"lost the MQTT broker {where.shown}: {why}") from error
        finally:
            self._set_client(None)
            await _close(client)

    async def carry_out(self, commands: Sequence[Command], *, action: str = "") -> list[Outcome]:
        """As `House.carry_out`. An `action` id that was carried out in the last five minutes
        returns what came of it then, and sends nothing."""
        return await self._dispatch.carry_out(commands, action)

    async def wait_revision(self, seen: int) -> int:
        while self.revision == seen:
            await self._revised.wait()
        return self.revision

    async def watch(self) -> AsyncIterator[Change]:
        watcher = _Watcher()
        self._watchers.append(watcher)
        try:
            for entity in self.entities.values():
                yield Change(entity, self.state(entity.id))
            while True:
                yield await watcher.next()
        finally:
            self._watchers.remove(watcher)

    def _set_client(self, client: aiomqtt.Client | None) -> None:
        self._client = client
        self._dispatch.is_connected = client is not None

    async def _publish(self, topic: str, payload: str) -> bool:
        if self._client is None:
            return False
        try:
            await self._client.publish(topic, payload.encode("utf-8", "replace"), qos=1)
        except (aiomqtt.MqttError, ValueError) as error:
            log.debug("a command was not sent: %s", error, extra={"topic": topic})
            return False
        return True

    async def _follow(self, client: aiomqtt.Client, stage: Stage) -> None:
        self._subscribed.clear()
        self._wanted.set()
        self._configured_s = anyio.current_time()
        self._catalogue.begin_sweep()
        # At quality 1 a broker drops what exceeds its queue, mosquitto after 1,020 messages: a
        # house of that size would be learnt in part. At 0 it hands over all that is retained.
        await client.subscribe([(each, 0) for each in self._catalogue.filters])
        self._set_client(client)
        async with task_group() as group:
            group.start_soon(self._subscribe, client)
            group.start_soon(self._settle, client, stage)
            group.start_soon(self._expire)
            async for message in client.messages:
                self._take(message.topic.value, message.payload, is_retained=message.retain)

    async def _subscribe(self, client: aiomqtt.Client) -> None:
        # A lost connection is raised by the loop over the messages: once is enough.
        with suppress(aiomqtt.MqttError):
            while True:
                await self._wanted.wait()
                await anyio.sleep(GATHER_S)
                self._wanted = anyio.Event()
                topics = self._catalogue.topics
                new = sorted((topics - self._subscribed) | self._catalogue.take_fresh())
                self._subscribed.update(new)
                for batch in _batches(new):
                    await client.subscribe([(topic, 0) for topic in batch])
                old = sorted(self._subscribed - topics)
                self._subscribed.difference_update(old)
                for batch in _batches(old):
                    await client.unsubscribe(batch)

    async def _settle(self, client: aiomqtt.Client, stage: Stage) -> None:
        """Make ids for good whenever announcements have come to an end; the first time the house
        is ready."""
        asked: set[str] = set()
        with anyio.move_on_after(SETTLE_S), suppress(aiomqtt.MqttError):
            # A broker answers in order, this after all that is retained, and asks for no right.
            await client.unsubscribe(NOBODYS)
        self._configured_s = anyio.current_time()
        async with task_group() as group:
            while True:
                with anyio.move_on_after(SETTLE_S):
                    await self._quiet(QUIET_S)
                self._tell_differences(self._catalogue.settle())
                if stage.health is not Health.READY:
                    stage.set(Health.READY)
                    group.start_soon(self._sweep)
                group.start_soon(self._ask, asked)
                self._unsettled = anyio.Event()
                await self._unsettled.wait()

    async def _ask(self, asked: set[str]) -> None:
        """Ask those who said nothing on this connection how they stand, everybody once."""
        await anyio.sleep(POLL_S)
        polls = [each for each in self._catalogue.polls if each[0] not in asked]
        asked.update(topic for topic, _ in polls)
        for topic, payload in polls:
            await self._publish(topic, payload)
            await anyio.sleep(POLL_EVERY_S)

    async def _sweep(self) -> None:
        await self._quiet(SWEEP_S)
        self._tell_differences(self._catalogue.sweep())

    async def _quiet(self, quiet_s: float) -> None:
        # It is quiet that is waited for: an event could only tell of the contrary.
        while (left_s := self._configured_s + quiet_s - anyio.current_time()) > 0:  # noqa: ASYNC110
            await anyio.sleep(left_s)

    async def _expire(self) -> None:
        while True:
            self._timed = anyio.Event()
            left_s = self._catalogue.next_s - anyio.current_time()
            with anyio.move_on_after(max(0.0, left_s)):
                await self._timed.wait()
            for id_ in self._catalogue.advance(anyio.current_time()):
                self._tell_state(id_)

    def _take(self, topic: str, payload: object, *, is_retained: bool) -> None:
        """Take a message. This is a boundary: a payload that breaks us costs itself and no more,
        for a retained one would come again after every restart."""
        try:
            self._receive(topic, payload if isinstance(payload, bytes) else b"", is_retained)
        except Exception:
            log.exception("a message on %s cannot be used, it is ignored", topic)

    def _receive(self, topic: str, payload: bytes, is_retained: bool) -> None:
        now_s = anyio.current_time()
        if self._catalogue.is_config(topic):
            self._configured_s = now_s
            self._tell_differences(self._catalogue.receive_config(topic, payload))
            if not self._catalogue.is_settled:
                self._unsettled.set()
            return
        before_s = self._catalogue.next_s
        for id_ in self._catalogue.receive(topic, payload, now_s, is_retained=is_retained):
            self._tell_state(id_)
        if self._catalogue.next_s < before_s:
            self._timed.set()

    def _tell_differences(self, differences: Differences) -> None:
        came, gone = differences
        for entity in gone:
            self._tell(Change(entity, State(available=False), gone=True))
        for id_ in came:
            self._tell_state(id_)
        if came or gone:
            self._announce_revision()

    def _announce_revision(self) -> None:
        self._revised.set()
        self._revised = anyio.Event()
        self._wanted.set()

    def _tell_state(self, id_: EntityId) -> None:
        if (entity := self._catalogue.entity(id_)) is not None:
            self._tell(Change(entity, self.state(id_)))

    def _tell(self, change: Change) -> None:
        self._dispatch.notice(change.entity.id)
        for watcher in self._watchers:
            watcher.put(change)


async def _close(client: aiomqtt.Client) -> None:
    with anyio.move_on_after(1, shield=True), suppress(aiomqtt.MqttError):
        await client.__aexit__(None, None, None)


def _batches(topics: Sequence[str]) -> Iterable[list[str]]:
    return (list(topics[start : start + BATCH]) for start in range(0, len(topics), BATCH))


class _Watcher:
    """Changes on their way to one reader of `watch`; when full, the oldest is dropped."""

    def __init__(self) -> None:
        self._waiting: deque[Change] = deque(maxlen=WATCH_AHEAD)
        self._came = anyio.Event()

    def put(self, change: Change) -> None:
        self._waiting.append(change)
        self._came.set()

    async def next(self) -> Change:
        while not self._waiting:
            self._came = anyio.Event()
            await self._came.wait()
        return self._waiting.popleft()

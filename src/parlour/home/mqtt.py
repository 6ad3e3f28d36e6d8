"""The house over MQTT: one connection that learns the things, follows their states, commands them."""

import logging
import socket
import ssl
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from urllib.parse import unquote, urlsplit

import aiomqtt
import anyio

from parlour.errors import ConfigError, HomeError
from parlour.home.catalogue import Catalogue
from parlour.home.commands import is_caused, is_on_its_way, is_optimistic, make_messages, settle
from parlour.home.entities import Change, Command, Entity, Outcome, Result, State
from parlour.ids import EntityId
from parlour.supervise import Health, Stage
from parlour.tasks import task_group

log = logging.getLogger(__name__)

CONNECT_S = 5.0
CONFIRM_S = 1.5  # the longest a device may take to report what it was told
QUIET_S = 0.2  # retained announcements have all come when none came for so long
SETTLE_S = 2.0
WATCH_AHEAD = 256  # changes a slow reader may be behind before it misses the oldest


class MqttHouse:
    """Satisfies `entities.House`. `run` holds one connection; the rest works from any task."""

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "homeassistant",
        floors: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._address = Address(url)
        self._catalogue = Catalogue(prefix, floors)
        self._client: aiomqtt.Client | None = None
        self._changed: dict[EntityId, anyio.Event] = {}
        self._revised = anyio.Event()
        self._wanted = anyio.Event()  # there are topics to subscribe to
        self._subscribed: set[str] = set()
        self._configured_s = 0.0  # when the latest announcement came
        self._watchers: list[_Watcher] = []

    @property
    def entities(self) -> Mapping[EntityId, Entity]:
        return self._catalogue.entities

    @property
    def revision(self) -> int:
        return self._catalogue.revision

    def state(self, entity: EntityId) -> State:
        return self._catalogue.state(entity)

    async def run(self, stage: Stage) -> None:
        """Hold one connection; raises HomeError when it cannot be had or is lost."""
        where = self._address
        client = where.client()
        try:
            try:
                with anyio.fail_after(CONNECT_S):
                    await client.__aenter__()
            except (aiomqtt.MqttError, TimeoutError, OSError) as error:
                why = where.explain(error)
                raise HomeError(f"no connection to the MQTT broker {where.shown}: {why}") from error
            try:
                await self._follow(client, stage)
            except aiomqtt.MqttError as error:
                why = where.explain(error)
                raise HomeError(f"lost the MQTT broker {where.shown}: {why}") from error
            finally:
                self._client = None
                with anyio.move_on_after(1, shield=True), suppress(aiomqtt.MqttError):
                    await client.__aexit__(None, None, None)
        finally:
            self._client = None

    async def carry_out(self, commands: Sequence[Command]) -> list[Outcome]:
        outcomes: dict[int, Outcome] = {}

        async def one(place: int, command: Command) -> None:
            result = await self._carry_out(command)
            outcomes[place] = Outcome(command, result, self.state(command.target))

        async with task_group() as group:
            for place, command in enumerate(commands):
                group.start_soon(one, place, command)
        return [outcomes[place] for place in range(len(commands))]

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

    async def _follow(self, client: aiomqtt.Client, stage: Stage) -> None:
        prefix = self._catalogue.prefix
        self._subscribed.clear()
        self._wanted.set()
        self._configured_s = anyio.current_time()
        await client.subscribe([(f"{prefix}/+/+/config", 1), (f"{prefix}/+/+/+/config", 1)])
        self._client = client
        async with task_group() as group:
            group.start_soon(self._subscribe, client)
            group.start_soon(self._settle, stage)
            async for message in client.messages:
                self._take(message.topic.value, message.payload)

    async def _subscribe(self, client: aiomqtt.Client) -> None:
        # A lost connection is raised by the loop over the messages: once is enough.
        with suppress(aiomqtt.MqttError):
            while True:
                await self._wanted.wait()
                self._wanted = anyio.Event()
                topics = self._catalogue.topics
                if new := sorted(topics - self._subscribed):
                    self._subscribed.update(new)
                    await client.subscribe([(topic, 1) for topic in new])
                if old := sorted(self._subscribed - topics):
                    self._subscribed.difference_update(old)
                    await client.unsubscribe(old)

    async def _settle(self, stage: Stage) -> None:
        with anyio.move_on_after(SETTLE_S):
            # It is quiet that is waited for: an event could only tell of the contrary.
            while (left_s := self._configured_s + QUIET_S - anyio.current_time()) > 0:  # noqa: ASYNC110
                await anyio.sleep(left_s)
        stage.set(Health.READY)

    def _take(self, topic: str, payload: object) -> None:
        """Take a message. This is a boundary: a payload that breaks us costs itself and no more,
        for a retained one would come again after every restart."""
        try:
            self._receive(topic, payload)
        except Exception:
            log.exception("a message on %s cannot be used, it is ignored", topic)

    def _receive(self, topic: str, payload: object) -> None:
        data = payload if isinstance(payload, bytes) else b""
        if self._catalogue.is_config(topic):
            self._configured_s = anyio.current_time()
            came, gone = self._catalogue.receive_config(topic, data)
            for entity in gone:
                self._tell(Change(entity, State(available=False), gone=True))
            if came or gone:
                self._revised.set()
                self._revised = anyio.Event()
                self._wanted.set()
        else:
            came = self._catalogue.receive(topic, data)
        for id_ in came:
            if (entity_ := self._catalogue.entity(id_)) is not None:
                self._tell(Change(entity_, self.state(id_)))

    def _tell(self, change: Change) -> None:
        if (event := self._changed.pop(change.entity.id, None)) is not None:
            event.set()
        for watcher in self._watchers:
            watcher.put(change)

    async def _carry_out(self, command: Command) -> Result:
        client, definition = self._client, self._catalogue.definition(command.target)
        before = self.state(command.target)
        if definition is None:
            return Result.NO_BROKER if client is None else Result.UNSUPPORTED
        messages = make_messages(definition, command, before)
        if not messages:
            return Result.UNSUPPORTED
        if client is None:
            return Result.NO_BROKER
        if not before.available:
            return Result.OFFLINE
        command = settle(command, before)
        with anyio.move_on_after(CONFIRM_S):
            try:
                for topic, payload in messages:
                    await client.publish(topic, payload, qos=1)
            except aiomqtt.MqttError as error:
                log.debug("a command was not sent: %s", error, extra={"entity": command.target})
                return Result.NO_BROKER
            if is_optimistic(definition, command):
                return Result.SENT
            # What stands as asked by its own report is confirmed at once; the command was sent
            # all the same, for a report that is older than somebody's hand on the switch.
            while not self._obeys(command, before):
                await self._change_of(command.target)
            return Result.CONFIRMED
        return Result.UNCONFIRMED

    def _obeys(self, command: Command, before: State) -> bool:
        now = self.state(command.target)
        return is_caused(command, now) or is_on_its_way(command, before, now)

    async def _change_of(self, entity: EntityId) -> None:
        await self._changed.setdefault(entity, anyio.Event()).wait()


class Address:
    """A broker's URL, read once; `shown` is it without the password."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError as error:
            raise ConfigError("the broker's URL has a port that is no number") from error
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise ConfigError("the broker's URL must look like mqtt://host:1883 or mqtts://host")
        self.host = parts.hostname
        self.is_tls = parts.scheme == "mqtts"
        self.port = port or (8883 if self.is_tls else 1883)
        self.shown = f"{parts.scheme}://{self.host}:{self.port}"
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None

    def client(self, will: aiomqtt.Will | None = None) -> aiomqtt.Client:
        return aiomqtt.Client(
            self.host,
            self.port,
            username=self._user,
            password=self._password,
            tls_context=ssl.create_default_context() if self.is_tls else None,
            timeout=CONNECT_S,
            keepalive=15,
            will=will,
            # Without it a command waits 40 ms for the peer's delayed acknowledgement.
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )

    def explain(self, error: BaseException) -> str:
        """Why, in words without the password."""
        if isinstance(error, TimeoutError):
            return f"no answer within {CONNECT_S:.0f} s"
        text = " ".join(str(error).split()) or type(error).__name__
        return text.replace(self._password, "***") if self._password else text


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

"""A run: each utterance is spoken to its server in real time, and what came of it is judged."""

import signal
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import anyio
import anyio.to_thread

from parlour import tasks
from parlour.app.virtual_device import VirtualDevice
from parlour.app.virtual_turn import Turn
from parlour.errors import ParlourError
from parlour_bench import converse
from parlour_bench.fixtures import Fixture
from parlour_bench.house import House, States, open_house
from parlour_bench.judge import is_caused, judge
from parlour_bench.measured import Measured, Verdict
from parlour_bench.plan import Group, Said
from parlour_bench.process import Memory, own_server, weigh
from parlour_bench.script import Script, write_config

EFFECT_S = 2.0  # a command's time to show in the states, from the end of the turn
LINGER_S = 0.25  # the time of what must change nothing to do harm, after its turn
IDLE_S = 2.0  # after the start, before the server is weighed
LAST_S = 120.0  # one utterance: beyond that something hangs


@dataclass(frozen=True, slots=True)
class Target:
    """Where a server is: its device link and its HTTP side."""

    device_url: str
    http_url: str


@dataclass(frozen=True, slots=True)
class Servers:
    """Where what is said. `ready_s` and `memory` are those of the embedded engines."""

    targets: Mapping[Group, Target]
    scripts: Mapping[Group, Script] = field(default_factory=dict)
    ready_s: float | None = None
    memory: Memory | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """What was measured, in order, and why it ended before its end, if it did."""

    measured: Sequence[Measured]
    planned: int
    ended: str = ""


@asynccontextmanager
async def own_servers(groups: Collection[Group], folder: Path) -> AsyncIterator[Servers]:
    """A server for each group; the one with the embedded engines is weighed before others start."""
    async with AsyncExitStack() as opened:
        targets: dict[Group, Target] = {}
        scripts: dict[Group, Script] = {}
        ready_s: float | None = None
        memory: Memory | None = None
        for group in Group:
            if group not in groups:
                continue
            config = None
            if group is not Group.EMBEDDED:
                real_voice = group is Group.SPOKEN
                config, scripts[group] = write_config(folder / group, real_voice=real_voice)
            server = await opened.enter_async_context(own_server(config))
            targets[group] = target_of(server.url)
            if group is Group.EMBEDDED:
                await anyio.sleep(IDLE_S)
                ready_s, memory = server.ready_s, weigh(server.pid)
        yield Servers(targets, scripts, ready_s, memory)


def target_of(http_url: str) -> Target:
    return Target(f"ws{http_url.removeprefix('http')}/device", http_url)


async def run(
    servers: Servers,
    planned: Sequence[Said],
    *,
    hear_s: float | None,
    tell: Callable[[Measured], None],
) -> Run:
    """Say one thing after the other; `hear_s` cuts long replies off. Ctrl-C ends it early.

    One at a time, because a second device on the same two cores would be in the figures.
    """
    results: list[Measured] = []
    ended = ""
    with anyio.CancelScope() as scope:
        async with tasks.task_group() as group:
            group.start_soon(_await_interrupt, scope)
            try:
                async with _Speaker(servers, hear_s) as speaker:
                    for said in planned:
                        measured = await speaker.say(said)
                        tell(measured)
                        results.append(measured)
            except ParlourError as error:
                if not results:
                    raise
                ended = str(error)
            group.cancel_scope.cancel()
    if scope.cancel_called:
        ended = "interrupted"
    return Run(results, len(planned), ended)


async def _await_interrupt(scope: anyio.CancelScope) -> None:
    with anyio.open_signal_receiver(signal.SIGINT) as signals:
        async for _ in signals:
            scope.cancel()


class _Speaker:
    """Says things, each to the server that it is for."""

    def __init__(self, servers: Servers, hear_s: float | None) -> None:
        self._servers = servers
        self._hear_s = hear_s
        self._count = 0
        self._house: House | None = None
        self._device: VirtualDevice | None = None
        self._opened = AsyncExitStack()

    async def __aenter__(self) -> Self:
        if target := self._servers.targets.get(Group.EMBEDDED):
            async with AsyncExitStack() as opened:
                self._house = await opened.enter_async_context(open_house(target.http_url))
                device = VirtualDevice(target.device_url, "bench")
                self._device = await opened.enter_async_context(device)
                self._opened = opened.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._opened.aclose()

    async def say(self, said: Said) -> Measured:
        self._count += 1
        sound = await anyio.to_thread.run_sync(said.fixture)
        with anyio.move_on_after(LAST_S):
            if said.group is Group.EMBEDDED:
                assert self._device is not None
                assert self._house is not None
                return await speak(self._device, self._house, said, sound, self._hear_s)
            link = self._servers.targets[said.group].device_url
            script = self._servers.scripts[said.group]
            name, hear_s = f"bench-{self._count}", said.hear_s(self._hear_s)
            return await converse.hold(link, name, script, said, sound, hear_s)
        raise ParlourError(f'"{said.utterance.text}" was not over within {LAST_S:.0f} s')


async def speak(
    device: VirtualDevice, house: House, said: Said, sound: Fixture, hear_s: float | None
) -> Measured:
    """Say something to the home, and see what it does."""
    utterance = said.utterance
    for text in utterance.before:
        await house.ask(text)
    before = await house.settle()
    if utterance.after and is_caused(before, utterance):
        why = "the house already stood like that"
        return Measured(said, (Turn(),), Verdict.UNPREPARED, why)
    turn = await device.speak(sound.pcm, hear_s=hear_s, ends=sound.speech_end)
    after = await _wait_effect(house, said)
    return Measured(said, (turn,), *judge(utterance, turn, before, after))


async def _wait_effect(house: House, said: Said) -> States:
    """Look until the command shows, at most EFFECT_S; what must change nothing gets LINGER_S."""
    utterance = said.utterance
    states = await house.look()
    with anyio.move_on_after(EFFECT_S if utterance.after else LINGER_S):
        while not (utterance.after and is_caused(states, utterance)):
            await anyio.sleep(0.05)
            states = await house.look()
    return states

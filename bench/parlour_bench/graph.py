"""`parlour bench graph`: what the agent's graph costs a turn, and whether it grows; what an MCP call is."""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Hashable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio
import psutil
import typer

from parlour import tasks
from parlour.agent.agent import Agent, Remembering
from parlour.agent.memory.memory import Memory, MemoryOptions, open_memory
from parlour.agent.persona import load_persona
from parlour.agent.prompt import Prompts, Surroundings
from parlour.app.tables import print_table
from parlour.ids import DeviceId, TurnId
from parlour.ports import (
    Commit,
    LlmDelta,
    Order,
    Piece,
    Place,
    Prompt,
    Say,
    TextDelta,
    Utterance,
)
from parlour.supervise import Stages
from parlour.tools.mcp.options import McpOptions
from parlour.tools.mcp.pins import Pins
from parlour.tools.mcp.server import McpServer
from parlour.traits import LlmTraits

TOKENS = 20
PLAIN_MS, KEPT_MS = 4.0, 6.0  # of CPU, a turn
FIRST_MS = 2.0  # later than bare
CANCEL_MS = 10.0
CALL_MS = 20.0  # of an MCP server, at the median
CALLS = 200
GROWTH_MB = 20.0  # over a soak; what the allocator keeps of its first thousands of turns is less
WARM_TURNS = 50


class _Instant:
    """A model that takes no time, and hangs after its first words where it is asked to."""

    traits = LlmTraits("instant", "instant", offline=True, tools=True)

    def __init__(self) -> None:
        self.hangs = False
        self.open_now = 0

    @asynccontextmanager
    async def open(self, prompt: Prompt) -> AsyncIterator[AsyncIterator[LlmDelta]]:
        self.open_now += 1
        try:
            yield self._deltas()
        finally:
            self.open_now -= 1

    async def _deltas(self) -> AsyncIterator[LlmDelta]:
        for n in range(TOKENS):
            if self.hangs and n == 1:
                await anyio.sleep_forever()
            yield TextDelta(f"word{n} ")

    async def warm(self, prompt: Prompt) -> None:
        """It reads as fast as it writes."""

    async def aclose(self) -> None:
        """It holds nothing."""


class _Nowhere:
    """A home that knows nothing."""

    def knows(self, utterance: Utterance) -> bool:
        return False

    @asynccontextmanager
    async def answer(
        self, utterance: Utterance, commit: Commit
    ) -> AsyncIterator[AsyncIterator[Piece]]:
        async with _Instant().open(Prompt(())) as words:
            yield (Say(word.text) async for word in words if isinstance(word, TextDelta))

    def context(self, utterance: Utterance) -> Hashable:
        return None

    async def warm(self, utterance: Utterance) -> None:
        """Nothing to get ready."""

    def remember(self, utterance: Utterance, heard: str) -> None:
        """Nothing to remember."""


class _Threads:
    def thread(self, device: DeviceId, now_s: float) -> str:
        return f"device:{device}"

    def spoke(self, device: DeviceId, thread: str, now_s: float) -> None:
        """Nobody walks about."""


@dataclass(slots=True)
class Cost:
    """Of one store, in milliseconds."""

    store: str
    cpu: list[float] = field(default_factory=list)  # of the answer, beyond the bare model's
    first: list[float] = field(default_factory=list)  # until its first token, beyond the bare one's
    keep: list[float] = field(default_factory=list)  # CPU, after the answer
    cancel: list[float] = field(default_factory=list)  # until the model was let go

    @property
    def limit_ms(self) -> float:
        return PLAIN_MS if self.store == "none" else KEPT_MS

    @property
    def is_met(self) -> bool:
        whole = statistics.median(self.cpu) + (statistics.median(self.keep) if self.keep else 0.0)
        return (
            whole <= self.limit_ms
            and statistics.median(self.first) <= FIRST_MS
            and max(self.cancel) <= CANCEL_MS
        )


@dataclass(frozen=True, slots=True)
class Growth:
    turns: int
    from_mb: float
    to_mb: float

    @property
    def is_met(self) -> bool:
        return self.to_mb - self.from_mb <= GROWTH_MB


def graph(turns: int, soak: int, redis_url: str | None) -> int:
    """Print what was measured; returns 1 if a target was missed."""
    costs, growth = anyio.run(_measure, turns, soak, redis_url)
    call_ms = anyio.run(_call_mcp)
    print_table(
        ("store", "CPU ms", "keep ms", "limit", "first +ms", "limit", "cancel ms", "limit", ""),
        [_row(cost) for cost in costs],
    )
    typer.echo("CPU: of an answer of 20 tokens beyond the bare model's; keep: after it was heard.")
    is_fast = statistics.median(call_ms) <= CALL_MS
    typer.echo(
        f"a call of an MCP server whose session is kept open: p50 {statistics.median(call_ms):.1f} ms,"
        f" p95 {statistics.quantiles(call_ms, n=20)[-1]:.1f} ms, limit {CALL_MS:.0f}: {_met(is_fast)}"
    )
    if growth is not None:
        typer.echo(
            f"{growth.turns} turns, a tenth of them cut off: {growth.from_mb:.1f} MB after the"
            f" first tenth, {growth.to_mb:.1f} MB at the end: {_met(growth.is_met)}"
        )
    is_flat = growth is None or growth.is_met
    return 0 if is_fast and is_flat and all(cost.is_met for cost in costs) else 1


def _row(cost: Cost) -> Sequence[str]:
    return (
        cost.store,
        f"{statistics.median(cost.cpu):.2f}",
        f"{statistics.median(cost.keep):.2f}" if cost.keep else "-",
        f"{cost.limit_ms:.0f}",
        f"{statistics.median(cost.first):.2f}",
        f"{FIRST_MS:.0f}",
        f"{max(cost.cancel):.2f}",
        f"{CANCEL_MS:.0f}",
        _met(cost.is_met),
    )


def _met(is_met: bool) -> str:
    return "met" if is_met else "MISSED"


async def _measure(
    turns: int, soak: int, redis_url: str | None
) -> tuple[list[Cost], Growth | None]:
    costs = [await _cost("none", None, turns)]
    with tempfile.TemporaryDirectory() as folder:
        options = MemoryOptions(folder=Path(folder))
        async with open_memory(options) as memory:
            costs.append(await _cost("sqlite", memory, turns))
        if redis_url is not None:
            options = replace(
                options, kind="redis", redis_url=redis_url, prefix=f"parlour-bench-{os.getpid()}"
            )
            async with open_memory(options) as memory:
                costs.append(await _cost("redis", memory, turns))
                await memory.forget_all()
    if not soak:
        return costs, None
    with tempfile.TemporaryDirectory() as folder:
        async with open_memory(MemoryOptions(folder=Path(folder))) as memory:
            return costs, await _grow(memory, soak)


async def _cost(store: str, memory: Memory | None, turns: int) -> Cost:
    cost, llm = Cost(store), _Instant()
    agent = _agent(llm, memory)
    async with tasks.task_group() as group:
        if memory is not None:
            group.start_soon(memory.run)
            group.start_soon(agent.run)
        for n in range(turns + WARM_TURNS):
            utterance = _utterance(n)
            cpu_ms, first_ms = await _timed(_through(agent, utterance))
            bare_cpu_ms, bare_first_ms = await _timed(_bare(llm))
            keep_ms = await _keep(agent, utterance) if memory is not None else 0.0
            if n >= WARM_TURNS:
                cost.cpu.append(cpu_ms - bare_cpu_ms)
                cost.first.append(first_ms - bare_first_ms)
                if memory is not None:
                    cost.keep.append(keep_ms)
        for n in range(20):
            cost.cancel.append(await _cut(agent, llm, _utterance(n)))
        group.cancel_scope.cancel()
    return cost


async def _grow(memory: Memory, turns: int) -> Growth:
    llm = _Instant()
    agent = _agent(llm, memory)
    process, from_mb = psutil.Process(), 0.0
    async with tasks.task_group() as group:
        group.start_soon(memory.run)
        group.start_soon(agent.run)
        for n in range(turns):
            utterance = _utterance(n)
            if n % 10 == 9:
                await _cut(agent, llm, utterance)
                agent.remember(utterance, "word0")
            else:
                async for _ in _through(agent, utterance):
                    pass
                agent.remember(utterance, "word0 word1")
            await agent.flush()
            if n == turns // 10:
                from_mb = process.memory_info().rss / 1e6
        group.cancel_scope.cancel()
    return Growth(turns, from_mb, process.memory_info().rss / 1e6)


async def _call_mcp() -> list[float]:
    """How long calls of a server in a process of its own take, one after the other."""
    command = (sys.executable, "-m", "parlour_bench.mcp_echo")
    path = {"PYTHONPATH": os.pathsep.join(sys.path)}  # nothing is inherited
    options = McpOptions("echo", command=command, environment=path, tools=("echo",))
    server, stage, took_ms = McpServer(options, Pins(None)), Stages().add("echo"), list[float]()
    async with tasks.task_group() as group:
        group.start_soon(server.run, stage)
        with anyio.fail_after(options.start_s):
            await stage.wait_ready()
        (tool,) = server.tools()
        for n in range(CALLS):
            began_s = time.perf_counter()
            await tool.run({"text": "hello"}, Order(_utterance(n), str(n)))
            took_ms.append((time.perf_counter() - began_s) * 1000)
        group.cancel_scope.cancel()
    return took_ms


async def _timed(pieces: AsyncIterator[object]) -> tuple[float, float]:
    """CPU of all of it, and the time until its first piece."""
    cpu_s, began_s, first_s = time.process_time(), time.perf_counter(), 0.0
    async for _ in pieces:
        first_s = first_s or time.perf_counter() - began_s
    return (time.process_time() - cpu_s) * 1000, first_s * 1000


async def _through(agent: Agent, utterance: Utterance) -> AsyncIterator[Piece]:
    commit = anyio.Event()
    commit.set()
    async with agent.answer(utterance, commit) as pieces:
        async for piece in pieces:
            yield piece  # noqa: ASYNC119  # always read to its end


async def _bare(llm: _Instant) -> AsyncIterator[LlmDelta]:
    async with llm.open(Prompt(())) as deltas:
        async for delta in deltas:
            yield delta  # noqa: ASYNC119  # always read to its end


async def _keep(agent: Agent, utterance: Utterance) -> float:
    cpu_s = time.process_time()
    agent.remember(utterance, "word0 word1")
    await agent.flush()
    return (time.process_time() - cpu_s) * 1000


async def _cut(agent: Agent, llm: _Instant, utterance: Utterance) -> float:
    """Cut an answer off at its first word; how long until the model was let go."""
    llm.hangs = True
    heard = anyio.Event()

    async def listen() -> None:
        async with agent.answer(utterance, anyio.Event()) as pieces:
            async for _ in pieces:
                heard.set()

    async with tasks.task_group() as group:
        group.start_soon(listen)
        await heard.wait()
        began_s = time.perf_counter()
        group.cancel_scope.cancel()
    assert not llm.open_now, "the model goes on"
    llm.hangs = False
    return (time.perf_counter() - began_s) * 1000


def _agent(llm: _Instant, memory: Memory | None) -> Agent:
    surroundings = Surroundings(lambda _: (), lambda _: "", lambda _: "")
    return Agent(
        _Nowhere(),
        llm,
        Prompts(load_persona(None), surroundings),
        surroundings.tools,
        Remembering(memory.saver if memory else None, _Threads()),
        lambda _text, _language: None,
        summaries=False,
    )


def _utterance(number: int) -> Utterance:
    return Utterance(
        TurnId(f"turn-{number}"), "tell me something", "en_US", Place(DeviceId(f"d{number % 20}"))
    )

"""The agent: a brain that converses, remembers, and steps out to act through tools."""

import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Hashable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import anyio
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver

from parlour.agent.assistant import HomeBrain
from parlour.agent.graph import Agreement, Nodes, answering, settling
from parlour.agent.memory.facts import Facts
from parlour.agent.prompt import Prompts
from parlour.agent.run import Run
from parlour.agent.state import Conversation, new_turn, upgraded
from parlour.agent.streaming import streaming
from parlour.agent.summary import is_due, summarise
from parlour.errors import ParlourError, ProviderError
from parlour.ids import DeviceId, TurnId
from parlour.ports import Commit, Llm, Piece, Place, Prompt, Tool, Usage, Utterance

log = logging.getLogger(__name__)

MOST_WAITING = 256  # turns that are over and not kept yet; a store takes milliseconds for one
MOST_KNOWN = 100  # conversations at hand; the one used longest ago goes first
MOST_COUNTED = 1_000  # conversations of which it is known whether something was said in them
KEEP_S = 5.0  # a store that takes longer to keep a turn has lost it
MOST_RUNS = 200  # answers of which it is not known yet what was heard
SETTLE_S = 1.0  # so long an answer waits for the turn before it to be kept
WARM_EVERY_S = 0.4  # a prompt is read ahead no more often
RECALL_S = 0.05  # a fact that takes longer to find is not worth the wait
MOST_FACTS = 5  # in a prompt


class Threads(Protocol):
    """Which conversation a device takes part in; `agent.memory.threads.Threads` is one."""

    def thread(self, device: DeviceId, now_s: float) -> str: ...

    def spoke(self, device: DeviceId, thread: str, now_s: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Remembering:
    """Where conversations and facts are kept; `agent.memory.memory.Memory` brings them."""

    saver: BaseCheckpointSaver[Any] | None
    threads: Threads
    facts: Facts | None = None
    owner: Callable[[Utterance], str] = lambda _: ""
    note: Callable[[], Awaitable[None]] | None = None  # writes down who spoke where


class Agent:
    """Satisfies `ports.Brain`. `run` keeps what was said, and must run as long as it answers.

    Cancelling an answer stops the model and its tools at once; what was said of it is history.
    """

    def __init__(
        self,
        home: HomeBrain,
        llm: Llm,
        prompts: Prompts,
        tools: Callable[[Place], Sequence[Tool]],
        memory: Remembering,
        agreement: Agreement,
        *,
        summaries: bool = True,
    ) -> None:
        self._home = home
        self._llm = llm
        self._prompts = prompts
        self._tools = tools
        self._memory = memory
        self._summaries = summaries
        nodes = Nodes(home, llm, prompts, agreement, self._recall)
        self._answering = answering(nodes, memory.saver)
        self._settling = settling(nodes, memory.saver)
        self._over: deque[Run] = deque()  # at most MOST_WAITING
        self._news = anyio.Event()
        self._unsettled: dict[str, _Unsettled] = {}
        self._runs: dict[TurnId, Run] = {}
        self._known: dict[str, Conversation] = {}  # as last kept, for reading ahead
        self._revisions: dict[str, int] = {}
        self._revision = 0  # the latest of all
        self._summing: anyio.CancelScope | None = None
        self._warmed_s = -WARM_EVERY_S
        self._warming = anyio.CapacityLimiter(1)

    # ------------------------------------------------------------ a brain

    @asynccontextmanager
    async def answer(
        self, utterance: Utterance, commit: Commit
    ) -> AsyncIterator[AsyncIterator[Piece]]:
        self._hurry()
        run = self._made(utterance, commit)
        self._note(run)
        await self._wait_settled(run.thread)
        stream = self._answering.astream(
            {"turn": utterance.turn},
            _config(run.thread),
            context=run,
            stream_mode="custom",
            durability="exit" if self._memory.saver else None,
        )
        async with streaming(cast("AsyncGenerator[Piece, None]", stream)) as pieces:
            yield pieces

    def context(self, utterance: Utterance) -> Hashable:
        if self._home.knows(utterance):
            return self._home.context(utterance)
        thread = self._thread(utterance)
        return thread, self._revisions.get(thread, 0)

    async def warm(self, utterance: Utterance) -> None:
        """Have the model read what has been said so far; one that is paid for is spared it."""
        now_s = anyio.current_time()
        if not self._llm.traits.offline:
            return
        if self._warming.borrowed_tokens or now_s < self._warmed_s + WARM_EVERY_S:
            return
        async with self._warming:
            self._warmed_s = now_s
            self._hurry()
            known = self._known.get(self._thread(utterance), Conversation())
            await self._llm.warm(self._prompts.make(utterance, known, self._usable(utterance)))

    async def warm_up(self, place: Place, language: str) -> None:
        """Have the model loaded, and the conversation so far read, before anybody asks."""
        if self._llm.traits.offline:
            utterance = Utterance(TurnId(""), "", language, place)
            known = self._known.get(self._thread(utterance), Conversation())
            tools = self._usable(utterance)
            await self._llm.warm(self._prompts.opening(utterance, known, tools))

    def remember(self, utterance: Utterance, heard: str) -> None:
        """Keep the turn: the question, what was called, and of the answer what was heard."""
        self._home.remember(utterance, heard)
        run = self._runs.pop(utterance.turn, None) or self._made(utterance, anyio.Event())
        run.heard = heard
        run.turn["text"] = utterance.text
        now_s = anyio.current_time()
        self._memory.threads.spoke(utterance.place.device, run.thread, now_s)
        self._revise(run.thread)
        self._hurry()
        if len(self._over) >= MOST_WAITING:
            log.error("the store is too slow: a turn is lost")
            return
        self._over.append(run)
        self._unsettled.setdefault(run.thread, _Unsettled()).count += 1
        self._news.set()

    # ------------------------------------------------------------ what is kept

    async def run(self) -> None:
        """Keep the turns that are over, in their order, until cancelled."""
        while True:
            while self._over:
                run = self._over.popleft()
                try:
                    # Who is stopped keeps what he has begun with.
                    with anyio.move_on_after(KEEP_S, shield=True) as limit:
                        self._keep(run.thread, await self._settle(run))
                        if self._memory.note is not None:
                            await self._memory.note()
                    if limit.cancelled_caught:
                        log.error("the store does not answer: a turn is lost")
                finally:
                    self._settled(run.thread)
                if self._summaries and not self._over:
                    await self._sum_up(run.thread)
            self._news = anyio.Event()
            await self._news.wait()

    async def flush(self) -> None:
        """Wait until every turn that is over is kept."""
        for thread in list(self._unsettled):
            await self._wait_settled(thread)

    async def prompt(self, utterance: Utterance) -> tuple[Prompt, Prompt]:
        """Exactly what a model would be told now, and the part of it that it knows already."""
        known, tools = await self._read(self._thread(utterance)), self._usable(utterance)
        facts = await self._recall(utterance)
        whole = self._prompts.make(utterance, known, tools, facts=facts)
        return whole, self._prompts.opening(utterance, known, tools)

    async def count(self, prompt: Prompt) -> int:
        """Its tokens, by the model's own server, which says a word for it. Raises ProviderError."""
        short = Prompt(prompt.messages, prompt.tools, most_tokens=1)
        async with self._llm.open(short) as deltas:
            async for delta in deltas:
                if isinstance(delta, Usage):
                    return delta.prompt_tokens
        raise ProviderError(self._llm.traits.name, "it does not say how long a prompt is")

    async def forget(self, thread: str | None = None) -> None:
        """Keep what is over, and have nothing at hand of a conversation any more; None: of all."""
        self._hurry()  # a summary would be kept of what is gone
        await self.flush()
        for known in [thread] if thread else list(self._known):
            self._known.pop(known, None)
            self._revise(known)

    async def aclose(self) -> None:
        """Hang up for good."""
        await self._llm.aclose()

    async def _settle(self, run: Run) -> Conversation:
        config = _config(run.thread)
        kept = await self._settling.ainvoke(
            {"turn": run.utterance.turn},
            config,
            context=run,
            durability="exit" if self._memory.saver else None,
        )
        return upgraded(kept)

    async def _sum_up(self, thread: str) -> None:
        """Shorten what is kept, unless somebody speaks meanwhile: the model is his then."""
        known = self._known.get(thread)
        if known is None or not is_due(known):
            return
        with anyio.CancelScope() as self._summing:
            shortened = await summarise(self._llm, known)
            if shortened is not None and self._known.get(thread) is known:
                self._unsettled.setdefault(thread, _Unsettled()).count += 1
                try:
                    with anyio.move_on_after(KEEP_S, shield=True):
                        config, state = _config(thread), dict(shortened)
                        await self._settling.aupdate_state(config, state, as_node="settle")
                        self._keep(thread, shortened)
                finally:
                    self._settled(thread)

    async def _read(self, thread: str) -> Conversation:
        await self._wait_settled(thread)
        if self._memory.saver is None:
            return self._known.get(thread, Conversation())
        kept = await self._memory.saver.aget_tuple(_config(thread))
        return upgraded(kept.checkpoint["channel_values"] if kept else {})

    def _hurry(self) -> None:
        """Somebody speaks: the model is needed."""
        if self._summing is not None:
            self._summing.cancel()

    def _keep(self, thread: str, known: Conversation) -> None:
        self._known.pop(thread, None)
        self._known[thread] = known
        while len(self._known) > MOST_KNOWN:
            del self._known[next(iter(self._known))]

    def _revise(self, thread: str) -> None:
        """What was prepared in this conversation is void."""
        self._revision += 1
        self._revisions.pop(thread, None)
        self._revisions[thread] = self._revision
        while len(self._revisions) > MOST_COUNTED:
            del self._revisions[next(iter(self._revisions))]

    def _settled(self, thread: str) -> None:
        unsettled = self._unsettled[thread]
        unsettled.count -= 1
        if not unsettled.count:
            del self._unsettled[thread]
            unsettled.none.set()

    async def _wait_settled(self, thread: str) -> None:
        if (unsettled := self._unsettled.get(thread)) is not None:
            with anyio.move_on_after(SETTLE_S):
                await unsettled.none.wait()

    # ------------------------------------------------------------ one answer

    def _made(self, utterance: Utterance, commit: Commit) -> Run:
        turn = new_turn(utterance.turn, utterance.text)
        tools = {tool.spec.name: tool for tool in self._usable(utterance)}
        return Run(utterance, self._thread(utterance), commit, turn, tools)

    def _note(self, run: Run) -> None:
        """The latest answer to a turn is the one that counts."""
        self._runs.pop(run.utterance.turn, None)
        self._runs[run.utterance.turn] = run
        while len(self._runs) > MOST_RUNS:
            del self._runs[next(iter(self._runs))]

    def _usable(self, utterance: Utterance) -> Sequence[Tool]:
        return self._tools(utterance.place) if self._llm.traits.tools else ()

    def _thread(self, utterance: Utterance) -> str:
        return self._memory.threads.thread(utterance.place.device, anyio.current_time())

    async def _recall(self, utterance: Utterance) -> Sequence[str]:
        if self._memory.facts is None:
            return ()
        try:
            with anyio.fail_after(RECALL_S):
                owner = self._memory.owner(utterance)
                found = await self._memory.facts.find(owner, utterance.text, MOST_FACTS)
        except (TimeoutError, ParlourError) as error:
            log.info("nothing is recalled: %s", error)
            return ()
        return [fact.text for fact in found]


@dataclass(slots=True)
class _Unsettled:
    """Turns of a conversation that are over and not kept yet."""

    count: int = 0
    none: anyio.Event = field(default_factory=anyio.Event)


def _config(thread: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread}, "recursion_limit": 40}

"""Agents for tests: a model that follows steps, a home that knows nothing, and somebody who talks."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

import anyio
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver

from parlour import tasks
from parlour.agent.agent import Agent, Remembering
from parlour.agent.assistant import HomeBrain
from parlour.agent.persona import load_persona
from parlour.agent.prompt import Prompts, Surroundings
from parlour.events import Action
from parlour.ids import DeviceId, TurnId
from parlour.ports import (
    Arguments,
    Did,
    Llm,
    LlmDelta,
    Message,
    Order,
    Piece,
    Place,
    Prompt,
    Say,
    TextDelta,
    Tool,
    ToolCall,
    ToolResult,
    ToolSpec,
    Usage,
    Utterance,
)
from parlour.traits import LlmTraits
from scripted_engines import EchoBrain

Step: TypeAlias = str | ToolCall | Exception | float | Sequence["Step"]
"""A text (word by word), a call, an error, or so many seconds of silence; or several of them."""

YES = frozenset({"yes", "yes please", "ja"})
NO = frozenset({"no", "nein"})


def call(name: str, **arguments: object) -> ToolCall:
    return ToolCall("", name, arguments)


@dataclass
class Model:
    """Answers with one step after the other, then with the last one for ever."""

    steps: Sequence[Step]
    prompts: list[Prompt] = field(default_factory=list)
    open_now: int = 0
    traits: LlmTraits = field(
        default_factory=lambda: LlmTraits("steps", "steps", offline=True, tools=True)
    )

    @asynccontextmanager
    async def open(self, prompt: Prompt) -> AsyncIterator[AsyncIterator[LlmDelta]]:
        step = self.steps[min(len(self.prompts), len(self.steps) - 1)]
        self.prompts.append(prompt)
        self.open_now += 1
        try:
            yield _deltas(step)
        finally:
            self.open_now -= 1

    async def warm(self, prompt: Prompt) -> None:
        self.prompts.append(prompt)

    async def aclose(self) -> None:
        """It holds nothing."""

    @property
    def last(self) -> str:
        """The last message of the last prompt."""
        return self.prompts[-1].messages[-1].content


async def _deltas(step: Step) -> AsyncIterator[LlmDelta]:
    for part in [step] if isinstance(step, str | ToolCall | Exception | float) else step:
        match part:
            case str():
                for n, word in enumerate(part.split(" ")):
                    yield TextDelta(f" {word}" if n else word)
            case ToolCall():
                yield part
            case Exception():
                raise part
            case float():
                await anyio.sleep(part)
            case _:
                raise TypeError(part)
    yield Usage(10, 5)


class StrangeHome(EchoBrain):
    """Knows what has "light" in it."""

    def knows(self, utterance: Utterance) -> bool:
        return "light" in utterance.text


class DeviceThreads:
    """A conversation a device, and no more."""

    def thread(self, device: DeviceId, now_s: float) -> str:
        return f"device:{device}"

    def spoke(self, device: DeviceId, thread: str, now_s: float) -> None:
        """Nobody walks about."""


@dataclass
class Bench:
    """A tool that notes what it is called with."""

    name: str = "look"
    level: int = 0
    result: ToolResult = field(default_factory=lambda: ToolResult("It is seven."))
    asks: str = ""
    trusted: bool = True
    quotes: bool = False
    doing: Callable[[Arguments, Order], Awaitable[ToolResult]] | None = None
    properties: Mapping[str, object] = field(
        default_factory=lambda: {"what": {"type": "string", "description": "of what"}}
    )
    required: Sequence[str] = ()
    deadline_s: float = 8.0
    called: list[dict[str, object]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    @property
    def tool(self) -> Tool:
        parameters = {
            "type": "object",
            "properties": self.properties,
            "required": list(self.required),
        }
        return Tool(
            ToolSpec(self.name, f"{self.name} at something", parameters),
            self._run,
            tier=lambda _: self.level,
            question=self._question if self.asks else None,
            deadline_s=self.deadline_s,
            trusted=self.trusted,
            quotes=self.quotes,
        )

    async def _run(self, arguments: Arguments, order: Order) -> ToolResult:
        self.called.append(dict(arguments))
        self.keys.append(order.key)
        return self.result if self.doing is None else await self.doing(arguments, order)

    async def _question(self, arguments: Arguments, order: Order) -> str:
        return self.asks


class Talk:
    """Somebody who talks with an agent; `agent.run` goes on beside it."""

    def __init__(
        self,
        llm: Llm,
        *benches: Bench,
        home: HomeBrain | None = None,
        saver: BaseCheckpointSaver[str] | None = None,
        summaries: bool = True,
    ) -> None:
        self.tools = [bench.tool for bench in benches]
        surroundings = Surroundings(
            lambda _: self.tools,
            lambda _: 'kitchen.lamp: "Lamp", light',
            lambda _: "the lamp is on",
        )
        self.saver = saver or InMemorySaver()
        self.actions: list[Action] = []
        self.pieces: list[Piece] = []
        self._turns: Iterator[int] = iter(range(1, 1_000_000))
        self.agent = Agent(
            home or StrangeHome(),
            llm,
            Prompts(load_persona(None), surroundings),
            surroundings.tools,
            Remembering(self.saver, DeviceThreads()),
            agreement,
            summaries=summaries,
        )

    def utterance(self, text: str, device: str = "hall", language: str = "en_US") -> Utterance:
        turn = TurnId(f"turn-{next(self._turns)}")
        return Utterance(turn, text, language, Place(DeviceId(device), "Hall"))

    async def answer(self, utterance: Utterance, commit: anyio.Event | None = None) -> str:
        """What is said to it, without being heard."""
        said = ""
        if commit is None:
            commit = anyio.Event()
            commit.set()
        async with self.agent.answer(utterance, commit) as pieces:
            async for piece in pieces:
                self.pieces.append(piece)
                match piece:
                    case Say(text=text, tokens=tokens):
                        said += text if tokens else f" {text}"
                    case Did(action=action):
                        self.actions.append(action)
                    case _:
                        pass
        return said.strip()

    async def say(
        self, text: str, device: str = "hall", *, language: str = "en_US", heard: str | None = None
    ) -> str:
        """Say something, hear the answer (`heard`: only so much), and have it kept."""
        utterance = self.utterance(text, device, language)
        said = await self.answer(utterance)
        self.agent.remember(utterance, said if heard is None else heard)
        await self.agent.flush()
        return said

    async def messages(self, device: str = "hall") -> list[Message]:
        """What the next prompt would hold of the conversation."""
        whole, _ = await self.agent.prompt(self.utterance("?", device))
        return list(whole.messages[1:-1])


def agreement(text: str, language: str) -> bool | None:
    spelt = text.casefold().strip(" .!")
    return True if spelt in YES else False if spelt in NO else None


@asynccontextmanager
async def talking(llm: Llm, *benches: Bench, **options: object) -> AsyncIterator[Talk]:
    talk = Talk(llm, *benches, **options)  # type: ignore[arg-type]  # those of Talk
    async with tasks.task_group() as group:
        group.start_soon(talk.agent.run)
        yield talk
        group.cancel_scope.cancel()

"""Asks a model, and says what it says while it says it."""

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import anyio

from parlour.agent.refusals import Opening
from parlour.agent.run import Run
from parlour.agent.spoken import Spoken
from parlour.errors import ProviderError
from parlour.ports import Llm, LlmDelta, Prompt, Say, TextDelta, ToolCall, Usage

log = logging.getLogger(__name__)

TOTAL_S = 60.0  # an answer that is not done by then is long enough
LONGEST_ANSWER = 1200  # characters: more than a minute of speech

Fault: TypeAlias = Literal["", "empty", "refusal", "broke off", "no answer"]


@dataclass(slots=True)
class Answer:
    """What a model made of a prompt. Its text was said already."""

    calls: list[ToolCall]
    fault: Fault = ""


class _Voice:
    """Says of a model's text what can be said, and what is no refusal."""

    def __init__(self, run: Run) -> None:
        self.said = 0  # characters
        self._run = run
        self._spoken = Spoken()
        can_refuse = bool(run.tools) and "refusal" not in run.turn["mended"]
        self._opening = Opening() if can_refuse else None

    @property
    def is_refusal(self) -> bool:
        return self._opening is not None and self._opening.is_refusal

    @property
    def is_over(self) -> bool:
        """Whether nothing of what comes now is to be said."""
        return self.is_refusal or self._spoken.ended or self.said > LONGEST_ANSWER

    def push(self, delta: str) -> None:
        text = self._spoken.push(delta)
        self._say(self._opening.push(text) if self._opening and text else text)

    def finish(self) -> None:
        if self._opening is not None:
            self._say(self._opening.rest())

    def _say(self, text: str) -> None:
        if not text:
            return
        self.said += len(text.strip())
        self._run.turn["said"] += text
        self._run.say(Say(text, tokens=1))


async def ask(llm: Llm, prompt: Prompt, run: Run) -> Answer:
    """Never raises for the provider's fault. Cancelling it stops the model."""
    voice, calls = _Voice(run), list[ToolCall]()
    try:
        with anyio.move_on_after(TOTAL_S) as limit:
            async with llm.open(prompt) as deltas:
                await _listen(deltas, voice, calls)
    except ProviderError as error:
        log.warning("the model failed: %s", error, extra={"turn": run.utterance.turn})
        return Answer([], "broke off" if voice.said else "no answer")
    voice.finish()
    if calls:
        return Answer(calls)
    if voice.is_refusal:
        return Answer([], "refusal")
    if limit.cancelled_caught and not voice.said:
        return Answer([], "no answer")
    return Answer([], "" if voice.said else "empty")


async def _listen(deltas: AsyncIterator[LlmDelta], voice: _Voice, calls: list[ToolCall]) -> None:
    async for delta in deltas:
        match delta:
            case TextDelta(text=text):
                voice.push(text)
            case ToolCall():
                calls.append(delta)
            case Usage():
                pass
        if voice.is_over:
            return

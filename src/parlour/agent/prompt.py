"""What a model is told: what never changes first, so that a server finds it in its cache."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from parlour.agent.persona import Persona
from parlour.agent.state import Conversation, Record, Turn, as_messages, closed, from_turn
from parlour.ports import Message, Place, Prompt, Tool, ToolSpec, Utterance

MOST_MESSAGES = 20  # of what was said before; older ones are in the summary
STEP = 10  # so many leave at once: a window that slides with every turn is never cached
LONGEST_RESULT = 2_000  # characters of a tool's result
_WORD = re.compile(r"[A-Za-z]+|\d|[^\sA-Za-z\d]")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the agent is given of the house; app/agent.py makes it, since rooms are strangers.

    `tools` and `listing` stay the same while the house does; `situation` is of this moment.
    """

    tools: Callable[[Place], Sequence[Tool]]
    listing: Callable[[Place], str]
    situation: Callable[[Utterance], str]


class Prompts:
    """Puts prompts together: persona, house, summary | conversation | the question with its facts.

    Equal from the first byte to the last message, turn by turn, until the summary changes.
    """

    def __init__(self, persona: Persona, surroundings: Surroundings) -> None:
        self._persona = persona
        self._surroundings = surroundings

    def make(
        self,
        utterance: Utterance,
        known: Conversation,
        tools: Sequence[Tool],
        turn: Turn | None = None,
        *,
        facts: Sequence[str] = (),
        nudge: str = "",
    ) -> Prompt:
        """`turn`: what was called already. `nudge`: what a model is told that went astray."""
        messages = [
            Message("system", self._system(utterance, known)),
            *as_messages(window(known)),
            Message("user", self._asked(utterance, facts)),
            *as_messages(closed(turn["steps"]) if turn else ()),
        ]
        if nudge:
            last = messages[-1]
            messages[-1] = replace(last, content=f"{last.content}\n({nudge})")
        return Prompt(tuple(messages), specs(tools))

    def opening(self, utterance: Utterance, known: Conversation, tools: Sequence[Tool]) -> Prompt:
        """What of the next prompt is known already."""
        return Prompt(self.make(utterance, known, tools).messages[:-1], specs(tools))

    def _system(self, utterance: Utterance, known: Conversation) -> str:
        parts = [self._persona.text(utterance.language)]
        if listing := self._surroundings.listing(utterance.place):
            parts.append(listing)
        if summary := known.get("summary"):
            parts.append(f"What was said before: {summary}")
        return "\n\n".join(parts)

    def _asked(self, utterance: Utterance, facts: Sequence[str]) -> str:
        now = datetime.now(UTC).astimezone()
        told = [f"{now:%A, %d %B %Y, %H:%M}"]
        if utterance.place.area:
            told.append(f"in the {utterance.place.area}")
        if situation := self._surroundings.situation(utterance):
            told.append(situation)
        if facts:
            quoted = ", ".join(json.dumps(fact, ensure_ascii=False) for fact in facts)
            told.append(f"to be remembered: {quoted}")
        return f"[{'; '.join(told)}]\n{utterance.text}"


def window(known: Conversation) -> list[Record]:
    """The newest messages, from the beginning of a turn on."""
    messages = known.get("messages", [])
    beyond = max(0, len(messages) - MOST_MESSAGES)
    steps = -(-beyond // STEP)
    last = max((n for n, m in enumerate(messages) if m["role"] == "user"), default=0)
    return from_turn(messages[min(steps * STEP, last) :])


def specs(tools: Sequence[Tool]) -> tuple[ToolSpec, ...]:
    return tuple(tool.spec for tool in tools)


def count_tokens(text: str) -> int:
    """About how many tokens: models cut English into words, and Indian scripts into letters.

    Within a fifth of what the tokenizers of Llama 3, Qwen 3 and GPT-4o make of English.
    """
    count = 0.0
    for piece in _WORD.findall(text):
        count += max(1.0, len(piece) / 5) if piece.isascii() else 0.7
    return round(count)


def prompt_text(prompt: Prompt) -> str:
    """All of a prompt that a model reads, tools first, as the servers do."""
    tools = [
        json.dumps({"name": t.name, "description": t.description, "parameters": t.parameters})
        for t in prompt.tools
    ]
    return "\n".join([*tools, *(message.content for message in prompt.messages)])

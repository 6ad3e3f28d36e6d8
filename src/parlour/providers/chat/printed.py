"""Tool calls that a model prints as text, in the manner of its training, found while it streams."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any

from parlour.ports import LlmDelta, TextDelta, ToolCall, ToolSpec

LONGEST_CALL = 64 * 1024  # characters; what is longer is no call
# How a printed call begins, and how it ends; "" is where its JSON ends. Qwen and Hermes use the
# first, Llama the second, Mistral the third; small models a code block.
OPENINGS = {
    "<tool_call>": "</tool_call>",
    "<function=": "</function>",
    "[TOOL_CALLS]": "",
    "```json": "```",
    "```tool_call": "```",
}
BARE = "{"  # an answer that is JSON from its first character on


async def unprinted(
    deltas: AsyncIterator[LlmDelta], tools: Sequence[ToolSpec]
) -> AsyncGenerator[LlmDelta, None]:
    """The same deltas, with printed calls as calls. Without tools nothing is looked for."""
    if not tools:
        async for delta in deltas:
            yield delta
        return
    printed = PrintedCalls([tool.name for tool in tools])
    async for delta in deltas:
        if not isinstance(delta, TextDelta):
            yield delta
            continue
        for found in printed.take(delta.text):
            yield found
    for found in printed.rest():
        yield found


class PrintedCalls:
    """Text goes through as it comes, except for what may be, or is, a printed call.

    Half a call is neither spoken nor handed out.
    """

    def __init__(self, tools: Sequence[str]) -> None:
        self._tools = set(tools)
        self._held = ""
        self._opening = ""  # of the call that is being printed
        self._said = False  # anything but blanks went through
        self._calls = 0

    def take(self, text: str) -> list[LlmDelta]:
        self._held += text
        found: list[LlmDelta] = []
        while self._step(found):
            pass
        return found

    def rest(self) -> list[LlmDelta]:
        """What is left at the end of the answer."""
        if self._opening:
            call = self._read(self._held) if OPENINGS.get(self._opening, "") == "" else None
            if call is None and self._opening == BARE:  # JSON that is no call is an answer
                return self._text(self._held)
            return [] if call is None else [call]
        return self._text(self._held)

    def _step(self, found: list[LlmDelta]) -> bool:
        """Work off one piece of what is held; False: more has to come first."""
        if self._opening:
            return self._close(found)
        at, opening = self._find()
        if opening:
            found.extend(self._text(self._held[:at]))
            self._held, self._opening = self._held[at:], opening
            return True
        keep = self._maybe_opening()
        found.extend(self._text(self._held[: len(self._held) - keep]))
        self._held = self._held[len(self._held) - keep :]
        return False

    def _find(self) -> tuple[int, str]:
        places = [(self._held.find(o), o) for o in OPENINGS if o in self._held]
        blank = len(self._held) - len(self._held.lstrip())
        if not self._said and self._held[blank : blank + 1] == BARE:
            places.append((blank, BARE))
        return min(places, default=(-1, ""))

    def _maybe_opening(self) -> int:
        """How many characters at the end may be the beginning of an opening."""
        for size in range(max(map(len, OPENINGS)) - 1, 0, -1):
            if any(o.startswith(self._held[-size:]) for o in OPENINGS if len(o) > size):
                return min(size, len(self._held))
        return 0

    def _close(self, found: list[LlmDelta]) -> bool:
        end = OPENINGS.get(self._opening, "")
        body_at = 0 if self._opening == BARE else len(self._opening)
        if end:
            at = self._held.find(end, body_at)
            if at < 0:
                return self._give_up_if_long(found)
            whole, self._held = self._held[: at + len(end)], self._held[at + len(end) :]
        else:
            size = _json_end(self._held[body_at:])
            if size is None:
                return self._give_up_if_long(found)
            whole = self._held[: body_at + size]
            self._held = self._held[body_at + size :]
        opening, self._opening = self._opening, ""
        calls = self._calls_in(whole, opening)
        found.extend(calls or (self._text(whole) if opening == BARE or "`" in opening else []))
        return bool(self._held)

    def _give_up_if_long(self, found: list[LlmDelta]) -> bool:
        if len(self._held) > LONGEST_CALL:
            found.extend(self._text(self._held))
            self._held = self._opening = ""
        return False

    def _calls_in(self, whole: str, opening: str) -> list[LlmDelta]:
        if opening == "[TOOL_CALLS]":
            listed = _load(whole.removeprefix(opening))
            entries = listed if isinstance(listed, list) else [listed]
        elif opening == "<function=":
            name, _, body = whole.removeprefix(opening).removesuffix("</function>").partition(">")
            entries = [{"name": name.strip(), "arguments": _load(body or "{}")}]
        else:
            end = OPENINGS.get(opening, "")
            body = whole.removeprefix(opening if end else "").removesuffix(end)
            entries = [_load(body)]
        calls = [self._call(entry) for entry in entries]
        return [call for call in calls if call is not None]

    def _read(self, whole: str) -> ToolCall | None:
        calls = self._calls_in(whole, self._opening)
        return calls[0] if calls and isinstance(calls[0], ToolCall) else None

    def _call(self, entry: Any) -> ToolCall | None:
        """A call to a tool that there is; anything else is no call."""
        if not isinstance(entry, dict):
            return None
        if isinstance(inner := entry.get("function"), dict):
            entry = inner
        name = entry.get("name")
        arguments = entry.get("arguments", entry.get("parameters", {}))
        if isinstance(arguments, str):
            arguments = _load(arguments)
        if name not in self._tools or not isinstance(arguments, dict):
            return None
        self._calls += 1
        return ToolCall(f"printed_{self._calls}", str(name), arguments)

    def _text(self, text: str) -> list[LlmDelta]:
        self._said = self._said or bool(text.strip())
        return [TextDelta(text)] if text else []


def _load(text: str) -> Any:
    try:
        return json.loads(text.strip())
    except (ValueError, RecursionError):
        return None


def _json_end(text: str) -> int | None:
    """Where the first JSON value ends; None while it is not whole."""
    start = len(text) - len(text.lstrip())
    try:
        _, end = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    return end

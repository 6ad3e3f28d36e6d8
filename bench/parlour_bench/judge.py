"""The verdict on what was said to the home, from how it stood before and stands after."""

import math
import re
from collections.abc import Mapping
from typing import TypeGuard

from parlour.app.virtual_turn import Turn
from parlour_bench.house import States, changed
from parlour_bench.manifest import Expected, Kind, Utterance
from parlour_bench.measured import Verdict

NEAR = 1.0
NEAR_COLOR = 40.0  # names of colours differ between houses
HARMLESS = (Kind.CHATTER, Kind.SHORT)  # must change nothing, whatever is said to it


def judge(utterance: Utterance, turn: Turn, before: States, after: States) -> tuple[Verdict, str]:
    """The verdict on a turn, and the reason for a bad one."""
    if strays := changed(before, after, besides=utterance.after):
        return Verdict.WRONG, f"changed {', '.join(sorted(strays))}"
    if targets := {action.target for action in turn.actions} - utterance.after.keys():
        return Verdict.WRONG, f"acted on {', '.join(sorted(targets))}"
    if utterance.kind in HARMLESS:
        return Verdict.RIGHT, ""
    if not turn.packets:
        return Verdict.UNANSWERED, f"the turn ended as {turn.end}"
    heard = f"heard: {turn.transcript or 'nothing'}"
    if not is_caused(after, utterance):
        return Verdict.MISSED, heard
    if not reply_fits(utterance, turn.reply_text):
        return Verdict.MISSED, f"{heard}; said: {turn.reply_text}"
    return Verdict.RIGHT, ""


def is_caused(states: States, utterance: Utterance) -> bool:
    """Whether every entity stands as the utterance must leave it."""
    return all(
        meets(states.get(entity, {}), expected) for entity, expected in utterance.after.items()
    )


def meets(state: Mapping[str, object], expected: Mapping[str, Expected]) -> bool:
    """Whether the state of an entity is what a command must cause."""
    return all(_fits(state.get(name), wanted) for name, wanted in expected.items())


def reply_fits(utterance: Utterance, reply: str) -> bool:
    return re.search(utterance.reply, reply.lower()) is not None


def _fits(value: object, wanted: Expected) -> bool:
    match wanted:
        case bool() | str():
            return value == wanted
        case int() | float():
            return _is_number(value) and abs(value - wanted) <= NEAR
        case dict():
            return _is_number(value) and (
                wanted.get("above", -math.inf) < value < wanted.get("below", math.inf)
            )
        case _ if value in wanted:
            return True
        case _:
            return isinstance(value, list) and [
                abs(have - want) <= NEAR_COLOR for have, want in zip(value, wanted, strict=False)
            ] == [True, True, True]


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)

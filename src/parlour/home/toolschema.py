"""The home's tools as a language model is told of them: the same names and words in every home."""

from collections.abc import Mapping, Sequence

from parlour.home.alarmtime import REPEATS
from parlour.home.toolvalues import ACTS, PROPERTIES
from parlour.ports import ToolSpec

TARGET = "id from the list or the message"
MOST_ENUMERATED = 40  # things


def act(ids: Sequence[str]) -> ToolSpec:
    return _spec(
        "act",
        "Do something to a thing or group.",
        {"target": _target(ids), "verb": _one_of([verb.value for verb in ACTS])},
    )


def set_(ids: Sequence[str], unit: str) -> ToolSpec:
    return _spec(
        "set",
        "Set a property of a thing or group.",
        {
            "target": _target(ids),
            "property": _one_of(list(PROPERTIES)),
            "value": _text(f'percent, {unit}, kelvin, color name or mode; "+10", "-10" change it'),
        },
    )


GET = {"target": {"type": "string", "description": TARGET}, "property": {"type": "string"}}


def get() -> ToolSpec:
    return _spec("get", "Read how a thing or group stands now.", GET, ["target"])


def read_text() -> ToolSpec:
    return _spec(
        "read_text",
        "Read what get shows as (text): words of the device, not of the user.",
        {"target": _text(TARGET)},
    )


def timer() -> ToolSpec:
    return _spec(
        "timer",
        "Timers, which ring where the user is.",
        {
            "op": _one_of(["start", "cancel", "pause", "resume", "add", "list"]),
            "name": _text('of the timer, if it has one; "all"'),
            "seconds": {"type": "integer", "description": "for start and add"},
        },
        ["op"],
    )


def alarm() -> ToolSpec:
    return _spec(
        "alarm",
        "Alarms for a time of day.",
        {
            "op": _one_of(["set", "cancel", "list"]),
            "time": _text('24 hours: "07:30", "07:30 tomorrow", "19:00 friday"'),
            "name": _text('of the alarm; "all"'),
            "repeat": _one_of(list(REPEATS)),
        },
        ["op"],
    )


def ask() -> ToolSpec:
    return _spec(
        "ask",
        "Ask the user back when it is unclear what is meant.",
        {"question": _text("short, in the user's language")},
    )


def announce() -> ToolSpec:
    return _spec(
        "announce",
        "Say a text aloud in other rooms.",
        {"text": _text("what to say"), "area": _text("room or floor; all if left out")},
        ["text"],
    )


def _spec(
    name: str,
    description: str,
    properties: Mapping[str, object],
    required: Sequence[str] | None = None,
) -> ToolSpec:
    parameters = {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties if required is None else required),
    }
    return ToolSpec(name, description, parameters)


def _text(description: str) -> dict[str, object]:
    return {"type": "string", "description": description}


def _one_of(values: Sequence[str]) -> dict[str, object]:
    return {"type": "string", "enum": list(values)}


def _target(ids: Sequence[str]) -> dict[str, object]:
    """Without ids the home has too many of them: any that the list or the user's message holds."""
    return _one_of(ids) if ids else _text(TARGET)

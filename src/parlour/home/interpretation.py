"""What would be done about a sentence, as values to print and to compare; nothing is done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from parlour.home.durations import seconds_of
from parlour.home.entities import Command, House
from parlour.home.meanings import MEANINGS, Sort
from parlour.home.resolve import Asked, Commands, Unclear, resolve
from parlour.ports import Grammar, Judgement, Place, Slot

Record = dict[str, object]


@dataclass(frozen=True, slots=True)
class Interpretation:
    """docs/interpret.md says what each field holds."""

    verdict: str  # "command", "query", "talk" or "none"
    actions: Sequence[Record] = ()
    query: Record | None = None
    refused: Sequence[Unclear] = field(default=())


def interpret(
    text: str, language: str, grammar: Grammar, house: House, place: Place
) -> Interpretation:
    """Understand a sentence; about 1 ms."""
    judged = grammar.judge(text, language, place)
    if not judged.intent:
        return Interpretation("none")
    actions: list[Record] = []
    refused: list[Unclear] = []
    query: Record | None = None
    for clause in (judged, *judged.then):
        sort = MEANINGS[clause.intent].sort
        if sort is Sort.TALK:
            return Interpretation("talk")
        if sort is Sort.CLOCK:
            if clause.intent.endswith("_status"):
                query = {"about": clause.intent.partition("_")[0], "targets": []}
            else:
                actions.append(_clock(clause))
            continue
        if sort is Sort.ANNOUNCE:
            actions.append(_announcement(clause.slots))
            continue
        match resolve(clause, house, place):
            case Asked(entities=entities, about=about):
                query = {"about": about, "targets": [e.id for e in entities]}
            case Commands(commands=commands, unable=unable):
                actions.extend(_grouped(commands))
                refused.extend(unable)
            case Unclear() as unclear:
                refused.append(unclear)
    if query is not None and not actions:
        return Interpretation("query", (), query, refused)
    return Interpretation("command", _merged(actions), query, refused)


def _grouped(commands: Sequence[Command]) -> list[Record]:
    return _merged([_action(command) for command in commands])


def _merged(actions: Sequence[Record]) -> list[Record]:
    """Join what differs only in its targets."""
    merged: list[Record] = []
    for action in actions:
        same = next((m for m in merged if _less_targets(m) == _less_targets(action)), None)
        targets = action["targets"]
        assert isinstance(targets, list)
        if same is None or not targets:
            merged.append(dict(action))
        else:
            before = same["targets"]
            assert isinstance(before, list)
            same["targets"] = list(dict.fromkeys([*before, *targets]))
    return merged


def _less_targets(action: Mapping[str, object]) -> Record:
    return {key: value for key, value in action.items() if key != "targets"}


def _action(command: Command) -> Record:
    targets = [command.target]
    if not command.verb.property:
        return {"verb": command.verb.value, "targets": targets}
    made: Record = {"verb": "set", "targets": targets, "property": command.verb.property}
    if command.delta is not None:
        return {**made, "delta": _plain(command.delta)}
    return {**made, "value": _plain(command.value)}


def _clock(clause: Judgement) -> Record:
    slots = clause.slots
    made: Record = {"verb": clause.intent, "targets": []}
    if clause.intent in ("alarm_set", "alarm_cancel"):
        at = clock_of(slots)
        if at is not None:
            made["value"] = f"{at[0]:02}:{at[1]:02}"
        for slot in ("day", "repeat"):
            if slot in slots:
                made[slot] = slots[slot]
    elif seconds := seconds_of(slots):
        made["value"] = seconds
    if name := slots.get("timer_name"):
        made["name"] = name
    return made


def clock_of(slots: Mapping[str, Slot]) -> tuple[int, int] | None:
    """Hour and minute as they were said; half of the day applied where it was said too."""
    if "noon" in slots:
        return int(slots["noon"]), 0
    hour, minute = slots.get("hour"), int(slots.get("minute", 0))
    if "hour_past" in slots:
        hour, minute = slots["hour_past"], int(slots.get("half_past", 0))
    elif "hour_to" in slots:  # "halb acht", "quarter to eight": the hour that is coming
        hour, minute = int(slots["hour_to"]) - 1, 60 + int(slots.get("quarter_to", 0))
    if hour is None:
        return None
    exact = int(hour)
    minute += round((float(hour) - exact) * 60)
    part = str(slots.get("daypart", ""))
    if part in ("pm", "evening", "afternoon") and exact < 12 or part == "night" and 6 <= exact < 12:
        exact += 12
    elif part in ("am", "morning", "night") and exact == 12:
        exact = 0
    return exact % 24, minute % 60


def _announcement(slots: Mapping[str, Slot]) -> Record:
    where = [str(slots[slot]) for slot in ("area", "floor") if slot in slots]
    return {"verb": "announce", "targets": where, "value": str(slots.get("message", ""))}


def _plain(value: str | float | None) -> str | float | int | None:
    if isinstance(value, float) and value == int(value):
        return int(value)
    return value

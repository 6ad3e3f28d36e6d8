"""What is said about what happened: from the outcome, never from the request."""

from collections.abc import Sequence

from parlour.home.entities import Entity, House, Kind, Outcome, Result, State, Verb
from parlour.home.numbers import in_words
from parlour.home.resolve import Asked, spoken_name

_WISHES = {
    Verb.ON: "to turn on",
    Verb.OFF: "to turn off",
    Verb.TOGGLE: "to toggle",
    Verb.OPEN: "to open",
    Verb.CLOSE: "to close",
    Verb.STOP: "to stop",
}


def describe(outcomes: Sequence[Outcome], house: House) -> str:
    """One or two short sentences: what was reached, then what was not."""
    if len(outcomes) == 1:
        return _one(outcomes[0], house)
    reached = [o for o in outcomes if o.result in (Result.CONFIRMED, Result.SENT)]
    failed = [o for o in outcomes if o not in reached]
    if not reached:
        if all(o.result is Result.NO_BROKER for o in failed):
            return "I cannot reach the house just now."
        return " ".join(_one(o, house) for o in failed[:3])
    what = _group(reached, house)
    if not failed and any(o.result is Result.SENT for o in reached):
        return f"I asked {what} {_WISHES.get(reached[0].command.verb, 'to change')}."
    if not failed:
        return f"{what[0].upper()}{what[1:]} {_are(reached[0])}."
    names = _join([f"the {_name(o, house)}" for o in failed[:3]])
    verb = "does" if len(failed) == 1 else "do"
    trouble = f"{names} {verb} not answer" if _silent(failed) else f"{names} cannot do that"
    return f"Only {len(reached)} of {len(outcomes)} {_are(reached[0])}; {trouble}."


def answer(asked: Asked, house: House) -> str:
    """How things stand, with "I do not know" where nothing is known."""
    if asked.about == "temperature":
        return " ".join(_temperature(e, house.state(e.id)) for e in asked.entities)
    states = [(e, _stands(house.state(e.id), asked.about)) for e in asked.entities]
    if len(states) == 1:
        return _single(*states[0], asked.about)
    unknown = [e for e, stands in states if stands is None]
    true = [e for e, stands in states if stands]
    if unknown:
        return f"I do not know how {_join([_the(e) for e in unknown[:3]])} stand."
    if len(true) == len(states):
        return f"Yes, all {len(states)} are {asked.about}."
    if not true:
        return f"No, none of them is {asked.about}."
    verb = "is" if len(true) == 1 else "are"
    return (
        f"{len(true)} of {len(states)} {verb} {asked.about}: {_join([_the(e) for e in true[:3]])}."
    )


def _one(outcome: Outcome, house: House) -> str:
    name = _name(outcome, house)
    match outcome.result:
        case Result.CONFIRMED:
            return f"The {name} {_is(outcome, name)}."
        case Result.SENT:
            return f"I asked the {name} {_WISHES.get(outcome.command.verb, 'to change')}."
        case Result.UNCONFIRMED:
            return f"The {name} {'do' if _plural(name) else 'does'} not answer."
        case Result.OFFLINE:
            return f"The {name} {'are' if _plural(name) else 'is'} not connected."
        case Result.UNSUPPORTED:
            return f"The {name} cannot do that."
        case Result.NO_BROKER:
            return "I cannot reach the house just now."


def _is(outcome: Outcome, name: str) -> str:
    """The state that was reached, as the device told it where that can be heard."""
    be = "are" if _plural(name) else "is"
    state, command = outcome.state, outcome.command
    match command.verb:
        case Verb.TOGGLE:
            return f"{be} {'on' if state.on else 'off'}"
        case Verb.OPEN | Verb.CLOSE:
            return f"{be} {state.cover or ('opening' if command.verb is Verb.OPEN else 'closing')}"
        case Verb.SET_POSITION:
            moving = state.cover in ("opening", "closing")
            return f"{be} {f'{state.cover}' if moving else f'at {_number(command.value)} percent'}"
        case Verb.SET_BRIGHTNESS:
            return f"{be} at {_number(command.value)} percent"
        case Verb.SET_TEMPERATURE:
            return f"{be} set to {_number(command.value)} degrees"
        case _:
            return f"{be} {_reached(command.verb, command.value)}"


def _are(outcome: Outcome) -> str:
    return f"are {_reached(outcome.command.verb, outcome.command.value)}"


def _reached(verb: Verb, value: str | float | None) -> str:
    match verb:
        case Verb.ON | Verb.OFF:
            return verb.value
        case Verb.OPEN:
            return "opening"
        case Verb.CLOSE:
            return "closing"
        case Verb.STOP:
            return "stopped"
        case Verb.SET_COLOR:
            return str(value)
        case Verb.SET_COLOR_TEMP:
            return f"at {_number(value)} kelvin"
        case Verb.SET_TEMPERATURE:
            return f"set to {_number(value)} degrees"
        case Verb.SET_BRIGHTNESS | Verb.SET_POSITION:
            return f"at {_number(value)} percent"
        case Verb.TOGGLE:
            return "toggled"


def _stands(state: State, about: str) -> bool | None:
    """Whether it stands so; None: not known."""
    if not state.available:
        return None
    match about:
        case "on" | "off":
            return None if state.on is None else state.on is (about == "on")
        case _:
            if state.cover is None:
                return None
            closed = state.cover == "closed" or (state.cover == "stopped" and state.position == 0)
            return closed is (about == "closed")


def _single(entity: Entity, stands: bool | None, about: str) -> str:
    name = spoken_name(entity)
    be = "are" if _plural(name) else "is"
    if stands is None:
        return f"I do not know how the {name} {'stand' if _plural(name) else 'stands'}."
    opposite = {"on": "off", "off": "on", "open": "closed", "closed": "open"}[about]
    return f"{'Yes' if stands else 'No'}, the {name} {be} {about if stands else opposite}."


def _temperature(entity: Entity, state: State) -> str:
    where = f"in the {entity.area.lower()}" if entity.area else f"at the {spoken_name(entity)}"
    if not state.available or state.temperature is None:
        return f"I do not know the temperature {where}."
    text = f"It is {_number(state.temperature)} degrees {where}"
    if state.mode == "off":
        return f"{text}, and the heating is off."
    if state.target_temperature is not None:
        text += f", set to {_number(state.target_temperature)}"
    return f"{text}."


def _group(outcomes: Sequence[Outcome], house: House) -> str:
    entities = [house.entities[o.command.target] for o in outcomes]
    kinds = {e.kind for e in entities}
    noun = {Kind.LIGHT: "lights", Kind.COVER: "blinds"}.get(kinds.pop(), "devices")
    noun = noun if not kinds else "devices"
    areas = {e.area for e in entities}
    area = next(iter(areas))
    if len(areas) == 1 and area:
        return f"the {area.lower()} {noun}"
    return f"{in_words(len(outcomes))} {noun}"


def _silent(outcomes: Sequence[Outcome]) -> bool:
    return all(o.result is not Result.UNSUPPORTED for o in outcomes)


def _name(outcome: Outcome, house: House) -> str:
    return spoken_name(house.entities[outcome.command.target])


def _the(entity: Entity) -> str:
    return f"the {spoken_name(entity)}"


def _plural(name: str) -> bool:
    return name.endswith(("blinds", "lights", "curtains", "shutters", "shades"))


def _join(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _number(value: str | float | None) -> str:
    """As it is spoken: halves as "point five", whole numbers plain."""
    if not isinstance(value, int | float):
        return str(value)
    rounded = round(float(value), 1)
    return f"{rounded:g}".replace(".", " point ")

"""What is said about what happened: from the outcome, never from the request."""

from collections.abc import Sequence

from parlour.home.entities import Entity, House, Kind, Outcome, Result, State, Verb
from parlour.home.numbers import in_words
from parlour.home.resolve import Asked, cannot, spoken_name

MOST_NAMED = 3  # things in a list; more cannot be kept in mind

_WISHES = {
    Verb.ON: "to turn on",
    Verb.OFF: "to turn off",
    Verb.TOGGLE: "to switch over",
    Verb.OPEN: "to open",
    Verb.CLOSE: "to close",
    Verb.STOP: "to stop",
}
_NO_HOUSE = "I cannot reach the house just now."


def describe(outcomes: Sequence[Outcome], house: House, unable: Sequence[Entity] = ()) -> str:
    """One or two short sentences: what was reached, then what was not."""
    if any(o.result is Result.NO_BROKER for o in outcomes):
        return _NO_HOUSE
    said = _one(outcomes[0], house) if len(outcomes) == 1 else _several(outcomes, house)
    refused = [cannot(e, outcomes[0].command.verb) for e in unable[:MOST_NAMED]]
    return " ".join([said, *refused])


def answer(asked: Asked, house: House) -> str:
    """How things stand, with "I do not know" where nothing is known."""
    if asked.about == "temperature":
        return " ".join(_temperature(e, house.state(e.id)) for e in asked.entities[:MOST_NAMED])
    stands = {e.id: _stands(house.state(e.id), asked.about) for e in asked.entities}
    known = [e for e in asked.entities if stands[e.id] is not None]
    unknown = [e for e in asked.entities if stands[e.id] is None]
    doubt = f"I do not know about {_list(unknown)}." if unknown else ""
    if not known:
        return doubt
    said = _how_they_stand(known, [e for e in known if stands[e.id]], asked.about)
    return f"{said} {doubt}".strip()


def _how_they_stand(known: Sequence[Entity], so: Sequence[Entity], about: str) -> str:
    """The exceptions are named: those that burn, and those that are open."""
    opposite = {"on": "off", "off": "on", "open": "closed", "closed": "open"}[about]
    others = [e for e in known if e not in so]
    if len(known) == 1:
        stand = about if so else opposite
        return f"{'Yes' if so else 'No'}, {_list(known)} {_be(known)} {stand}."
    if not others:
        return f"Yes, all {in_words(len(known))} are {about}."
    if not so:
        return f"No, all {in_words(len(known))} are {opposite}."
    named, how = (so, about) if about in ("on", "open") else (others, opposite)
    lead = "" if named is so else "No, "
    return _sentence(f"{lead}{_list(named)} {_be(named)} {how}.")


# ---------------------------------------------------------------- after commands


def _one(outcome: Outcome, house: House) -> str:
    entity = house.entities.get(outcome.command.target)
    name = spoken_name(entity) if entity else "device"
    be, do = ("are", "do") if _is_plural(name) else ("is", "does")
    match outcome.result:
        case Result.CONFIRMED:
            return f"The {name} {be} {_reached(outcome)}."
        case Result.SENT:
            return f"I asked the {name} {_WISHES.get(outcome.command.verb, 'to change')}."
        case Result.UNCONFIRMED:
            return f"The {name} {do} not answer."
        case Result.OFFLINE:
            return f"The {name} {be} not connected."
        case Result.UNSUPPORTED:
            return f"The {name} cannot do that."
        case Result.NO_BROKER:
            return _NO_HOUSE


def _several(outcomes: Sequence[Outcome], house: House) -> str:
    done = [o for o in outcomes if o.result is Result.CONFIRMED]
    asked = [o for o in outcomes if o.result is Result.SENT]
    failed = [o for o in outcomes if o not in done and o not in asked]
    parts: list[str] = []
    if done:
        whole = len(done) == len(outcomes)
        who = (
            _group(done, house)
            if whole
            else f"{_count(done)} of {_group(outcomes, house, bare=True)}"
        )
        parts.append(f"{who} {'is' if len(done) == 1 else 'are'} {_all_reached(done)}")
    if asked:
        who = _group(asked, house) if len(asked) == len(outcomes) else _names(asked, house)
        parts.append(f"I asked {who} {_WISHES.get(asked[0].command.verb, 'to change')}")
    trouble = [_one(o, house) for o in failed[:MOST_NAMED]]
    if not parts:
        return " ".join(trouble)
    if len(failed) > MOST_NAMED:
        trouble = [f"{in_words(len(failed))} do not answer."]
    tail = "; ".join([*parts, *(t[0].lower() + t[1:].rstrip(".") for t in trouble)])
    return _sentence(f"{tail}.")


def _group(outcomes: Sequence[Outcome], house: House, *, bare: bool = False) -> str:
    """ "the bedroom lights", "three lights", "the lamp and the fan"; `bare`: "three lights"."""
    entities = [
        house.entities[o.command.target] for o in outcomes if o.command.target in house.entities
    ]
    kinds, areas = {e.kind for e in entities}, {e.area for e in entities}
    noun = "lights" if kinds == {Kind.LIGHT} else "blinds" if kinds == {Kind.COVER} else "devices"
    if bare:
        return f"{_count(outcomes)} {noun}"
    area = next(iter(areas), None)
    if len(areas) == 1 and area and noun != "devices":
        return f"the {area.lower()} {noun}"
    if len(entities) == 2:
        return _list(entities)
    return f"{_count(outcomes)} {noun}"


def _all_reached(outcomes: Sequence[Outcome]) -> str:
    reached = {_reached(o) for o in outcomes}
    if len(reached) == 1:
        return reached.pop()
    # Some are there already and some on the way.
    return {Verb.OPEN: "opening", Verb.CLOSE: "closing"}.get(outcomes[0].command.verb, "changed")


def _reached(outcome: Outcome) -> str:
    """The state that was reached, as the device told it where it may differ from what was asked."""
    state, command = outcome.state, outcome.command
    value = _number(command.value)
    match command.verb:
        case Verb.ON | Verb.OFF:
            return command.verb.value
        case Verb.TOGGLE:
            return "on" if state.on else "off"
        case Verb.OPEN:
            return state.cover or "opening"
        case Verb.CLOSE:
            return state.cover or "closing"
        case Verb.STOP:
            return "stopped"
        case Verb.SET_POSITION if state.cover in ("opening", "closing"):
            return f"moving to {value} percent"
        case Verb.SET_BRIGHTNESS if command.value == 0:
            return "off"
        case Verb.SET_POSITION | Verb.SET_BRIGHTNESS:
            return f"at {value} percent"
        case Verb.SET_COLOR:
            return value
        case Verb.SET_COLOR_TEMP:
            return _white(command.value)
        case Verb.SET_TEMPERATURE:
            return f"set to {value} degrees"


def _white(kelvin: str | float | None) -> str:
    warmth = kelvin if isinstance(kelvin, int | float) else 4000
    return "warm white" if warmth < 3500 else "neutral white" if warmth < 5000 else "cold white"


# ---------------------------------------------------------------- states


def _stands(state: State, about: str) -> bool | None:
    """Whether it stands so; None: not known."""
    if not state.available:
        return None
    match about:
        case "on" | "off":
            on = state.mode != "off" if state.on is None and state.mode else state.on
            return None if on is None else on is (about == "on")
        case _:
            if state.cover is None:
                return None
            closed = state.cover == "closed" or (state.cover == "stopped" and state.position == 0)
            return closed is (about == "closed")


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


# ---------------------------------------------------------------- words


def _names(outcomes: Sequence[Outcome], house: House) -> str:
    return _list(
        [house.entities[o.command.target] for o in outcomes if o.command.target in house.entities]
    )


def _list(entities: Sequence[Entity]) -> str:
    names = [f"the {spoken_name(e)}" for e in entities[:MOST_NAMED]]
    if len(entities) > MOST_NAMED:
        names.append(f"{in_words(len(entities) - MOST_NAMED)} more")
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _count(outcomes: Sequence[Outcome]) -> str:
    return in_words(len(outcomes))


def _be(entities: Sequence[Entity]) -> str:
    return "are" if len(entities) > 1 or _is_plural(spoken_name(entities[0])) else "is"


def _is_plural(name: str) -> bool:
    """By the look of the last word: blinds and speakers are, a glass or a bus is not."""
    return name.endswith("s") and not name.endswith(("ss", "us", "is", "as"))


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def _number(value: str | float | None) -> str:
    """As it is spoken: halves as "point five", whole numbers plain."""
    if not isinstance(value, int | float):
        return str(value)
    return f"{round(float(value), 1):g}".replace(".", " point ")

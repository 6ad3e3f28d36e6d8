"""What is said about what happened, in nine languages: from the outcome, never from the request."""

from collections.abc import Sequence

from parlour.home.entities import Entity, House, Kind, Outcome, Result, State, Verb
from parlour.home.resolve import Asked, Reason, Unclear
from parlour.home.wording import MOST_NAMED, Wording, wording


def describe(
    outcomes: Sequence[Outcome], house: House, unable: Sequence[Unclear] = (), language: str = "en"
) -> str:
    """One or two short sentences: what was reached, then what was not."""
    say = wording(language)
    if any(o.result is Result.NO_BROKER for o in outcomes):
        return say.sentence(say.say("no_broker"))
    said = _one(outcomes[0], house, say) if len(outcomes) == 1 else _several(outcomes, house, say)
    refused = [explain(one, language) for one in unable[:MOST_NAMED]]
    return " ".join(part for part in (said, *refused) if part)


def explain(unclear: Unclear, language: str = "en") -> str:
    """Why nothing is done, or what is missing."""
    say = wording(language)
    things = unclear.things[:MOST_NAMED]
    kind = str(say.find("kinds").get(unclear.kind, unclear.kind))
    match unclear.reason:
        case Reason.CANNOT:
            verb = unclear.verb.value if unclear.verb else "other"
            return " ".join(say.sentence(say.say(f"cannot.{verb}", [e])) for e in things)
        case Reason.WHICH if len(unclear.things) <= MOST_NAMED:
            names = say.names(things, "or")
            return f"{say.sentence(say.say('reasons.which', things, names=names)).rstrip('.।')}?"
        case Reason.WHICH:
            text = say.say("reasons.which_kind", kind=kind or say.find("kinds")["everything"])
        case Reason.TOO_FAR:
            low, high = say.number(unclear.low), say.number(unclear.high)
            text = say.say("reasons.too_far", things[:1], low=low, high=high)
        case _:
            place = _places(unclear.places, say)
            text = say.say(f"reasons.{unclear.reason.value}", things[:1], kind=kind, place=place)
    return say.sentence(text)


def shall(commands: Sequence[Entity], verb: Verb, language: str = "en") -> str:
    """The question before something that is not without risk."""
    say = wording(language)
    return say.sentence(say.say(f"shall.{verb.value}", commands))


def question(things: Sequence[Entity], verb: Verb, language: str, *, wants_pin: bool) -> str:
    """What is asked back before something that is not without risk."""
    asked = shall(things, verb, language)
    if not wants_pin:
        return asked
    say = wording(language)
    return f"{asked} {say.sentence(say.say('pin'))}"


# ---------------------------------------------------------------- after commands


def _thing(outcome: Outcome, house: House) -> Sequence[Entity]:
    entity = house.entities.get(outcome.command.target)
    return [entity] if entity is not None else []


def _one(outcome: Outcome, house: House, say: Wording) -> str:
    return say.sentence(_clause(outcome, house, say))


def _clause(outcome: Outcome, house: House, say: Wording) -> str:
    things = _thing(outcome, house)
    match outcome.result:
        case Result.CONFIRMED:
            return _reached(outcome, things, say)
        case Result.SENT:
            return _asked([outcome], things, say)
        case Result.UNCONFIRMED | Result.OFFLINE | Result.UNSUPPORTED | Result.NO_BROKER:
            return say.say(outcome.result.value, things)


def _asked(outcomes: Sequence[Outcome], things: Sequence[Entity], say: Wording) -> str:
    wish = say.find(f"wishes.{outcomes[0].command.verb.value}")
    return say.say("asked", things, names=_group(outcomes, things, say), wish=wish)


def _several(outcomes: Sequence[Outcome], house: House, say: Wording) -> str:
    """Of each kind of command together what was reached, then what was not."""
    parts: list[str] = []
    for verb in dict.fromkeys(o.command.verb for o in outcomes):
        parts += _alike([o for o in outcomes if o.command.verb is verb], house, say)
    failed = [o for o in outcomes if o.result not in (Result.CONFIRMED, Result.SENT)]
    trouble = [_clause(o, house, say) for o in failed[:MOST_NAMED]]
    if not parts:
        return " ".join(say.sentence(each) for each in trouble)
    if len(failed) > MOST_NAMED:
        trouble = [say.say("others_silent", count=say.count(len(failed)))]
    return say.sentence("; ".join((*parts, *trouble)))


def _alike(outcomes: Sequence[Outcome], house: House, say: Wording) -> list[str]:
    """Outcomes of one verb: those that obeyed, and those that were only asked."""
    parts: list[str] = []
    done = [o for o in outcomes if o.result is Result.CONFIRMED]
    asked = [o for o in outcomes if o.result is Result.SENT]
    if done:
        things = [e for o in done for e in _thing(o, house)]
        everybody = [e for o in outcomes for e in _thing(o, house)]
        names = (
            _group(done, things, say)
            if len(done) == len(outcomes)
            else str(say.texts["some"]).format(
                count=say.count(len(done)), total=_counted(everybody, say)
            )
        )
        parts.append(_all_reached(done, things, names, say))
    if asked:
        things = [e for o in asked for e in _thing(o, house)]
        parts.append(_asked(asked, things, say))
    return parts


def _all_reached(
    outcomes: Sequence[Outcome], things: Sequence[Entity], names: str, say: Wording
) -> str:
    forms = {_form(o) for o in outcomes}
    values = {str(_value(o, say)) for o in outcomes}
    if len(forms) > 1 or len(values) > 1:
        # Some are there already and some on the way.
        verb = outcomes[0].command.verb
        form = {Verb.OPEN: "opening", Verb.CLOSE: "closing"}.get(verb, "changed")
        return say.say(f"reached.{form}", things, names=names)
    return say.say(f"reached.{forms.pop()}", things, names=names, value=values.pop())


def _group(outcomes: Sequence[Outcome], things: Sequence[Entity], say: Wording) -> str:
    """ "the bedroom lights", "three lights", "the lamp and the fan"."""
    if len(things) == 1:
        return say.names(things)
    noun, areas = _noun(things, say), {e.area for e in things}
    area = next(iter(areas), None)
    kinds = {e.kind for e in things}
    if len(areas) == 1 and area and kinds in ({Kind.LIGHT}, {Kind.COVER}):
        shown = area.lower() if say.language == "en" else area
        return str(say.texts["of"]).format(area=shown, noun=noun)
    if len(things) == 2:
        return say.names(things)
    return _counted(things, say)


def _counted(things: Sequence[Entity], say: Wording) -> str:
    return str(say.texts["counted"]).format(count=say.count(len(things)), noun=_noun(things, say))


def _noun(things: Sequence[Entity], say: Wording) -> str:
    kinds = {e.kind.value for e in things}
    nouns = say.texts["nouns"]
    return str(nouns.get(kinds.pop(), nouns["other"]) if len(kinds) == 1 else nouns["other"])


def _reached(outcome: Outcome, things: Sequence[Entity], say: Wording) -> str:
    return say.say(f"reached.{_form(outcome)}", things, value=_value(outcome, say))


_FORMS = {
    Verb.LOCK: "locked",
    Verb.UNLOCK: "unlocked",
    Verb.ACTIVATE: "activated",
    Verb.START: "started",
    Verb.PAUSE: "paused",
    Verb.DOCK: "docking",
    Verb.LOCATE: "located",
    Verb.MUTE: "muted",
    Verb.UNMUTE: "unmuted",
    Verb.STOP: "stopped",
    Verb.SET_COLOR: "color",
    Verb.SET_COLOR_TEMP: "color_temp",
    Verb.SET_TEMPERATURE: "degrees",
    Verb.SET_MODE: "mode",
    Verb.SET_VALUE: "value",
}


def _form(outcome: Outcome) -> str:
    """The state that was reached, as the device told it where it may differ from what was asked."""
    state, command = outcome.state, outcome.command
    match command.verb:
        case Verb.ON | Verb.OFF:
            return command.verb.value
        case Verb.TOGGLE:
            return "on" if state.on else "off"
        case Verb.OPEN:
            return state.cover or "opening"
        case Verb.CLOSE:
            return state.cover or "closing"
        case Verb.LOCK | Verb.UNLOCK if state.lock in ("locking", "unlocking"):
            return state.lock
        case Verb.SET_POSITION if state.cover in ("opening", "closing"):
            return "moving"
        case Verb.SET_BRIGHTNESS if command.value == 0:
            return "off"
        case verb if verb in _FORMS:
            return _FORMS[verb]
        case _:
            return "percent"


def _value(outcome: Outcome, say: Wording) -> object:
    value = outcome.command.value
    match outcome.command.verb:
        case Verb.SET_COLOR:
            return say.texts["colors"].get(value, value)
        case Verb.SET_COLOR_TEMP:
            warmth = value if isinstance(value, int | float) else 4000
            white = "warm" if warmth < 3500 else "neutral" if warmth < 5000 else "cold"
            return say.texts["whites"][white]
        case Verb.SET_MODE:
            return say.texts["modes"].get(value, str(value).replace("_", " "))
        case _:
            return say.number(value)


# ---------------------------------------------------------------- answers

_OPPOSITE = {
    "on": "off",
    "off": "on",
    "open": "closed",
    "closed": "open",
    "locked": "unlocked",
    "unlocked": "locked",
}
_NAMED = (
    "on",
    "open",
    "unlocked",
)  # the exceptions are named: those that burn, those that are open


def answer(asked: Asked, house: House, language: str = "en") -> str:
    """How things stand, with "I do not know" where nothing is known."""
    say = wording(language)
    if asked.about in _OPPOSITE:
        return _stand(asked, house, say)
    if asked.about == "state" and asked.kind in ("motion", "leak", "smoke"):
        return _detected(asked, house, say)
    said = [_reading(e, house.state(e.id), asked.about, say) for e in asked.entities[:MOST_NAMED]]
    if asked.kind == "who" and not any(house.state(e.id).value == "home" for e in asked.entities):
        return say.sentence(say.say("nobody"))
    return " ".join(say.sentence(each) for each in said)


def _stand(asked: Asked, house: House, say: Wording) -> str:
    stands = {e.id: _stands(e, house.state(e.id), asked.about) for e in asked.entities}
    known = [e for e in asked.entities if stands[e.id] is not None]
    unknown = [e for e in asked.entities if stands[e.id] is None]
    doubt = say.sentence(say.say("unknown", unknown)) if unknown else ""
    if not known:
        return doubt
    said = _how_they_stand(known, [e for e in known if stands[e.id]], asked.about, say)
    return f"{said} {doubt}".strip()


def _how_they_stand(known: Sequence[Entity], so: Sequence[Entity], about: str, say: Wording) -> str:
    opposite = _OPPOSITE[about]
    others = [e for e in known if e not in so]
    if len(known) == 1:
        text = say.say(f"stands.{about if so else opposite}", known)
        return say.sentence(say.say("yes" if so else "no", said=text))
    if not others or not so:
        everybody = str(say.texts["all"]).format(count=say.count(len(known)))
        stand = about if not others else opposite
        text = say.say(f"stands.{stand}", known, names=everybody)
        return say.sentence(say.say("no" if others else "yes", said=text))
    named, how = (so, about) if about in _NAMED else (others, opposite)
    text = say.say(f"stands.{how}", named)
    return say.sentence(text if named is so else say.say("no", said=text))


def _stands(entity: Entity, state: State, about: str) -> bool | None:
    """Whether it stands so; None: not known."""
    if not state.available:
        return None
    match about:
        case "on" | "off":
            on = state.mode != "off" if state.on is None and state.mode else state.on
            return None if on is None else on is (about == "on")
        case "locked" | "unlocked":
            return None if state.lock is None else (state.lock == "locked") is (about == "locked")
        case _ if entity.kind is Kind.BINARY_SENSOR:
            return None if state.on is None else state.on is (about == "open")
        case _:
            if state.cover is None:
                return None
            closed = state.cover == "closed" or (state.cover == "stopped" and state.position == 0)
            return closed is (about == "closed")


def _detected(asked: Asked, house: House, say: Wording) -> str:
    seen = [e for e in asked.entities if house.state(e.id).on]
    areas = list(dict.fromkeys(e.area for e in (seen or asked.entities) if e.area))
    if asked.kind == "motion":
        return say.sentence(
            say.say("motion_yes" if seen else "motion_no", place=_places(areas[:1], say))
        )
    things = seen or asked.entities
    return say.sentence(say.say(f"stands.{'detected' if seen else 'clear'}", things))


def _reading(entity: Entity, state: State, about: str, say: Wording) -> str:
    place = _places([entity.area] if entity.area else [], say)
    if about == "temperature":
        return _temperature(entity, state, place, say)
    if not state.available:
        return say.say("unknown", [entity])
    values = {
        "humidity": state.humidity if state.humidity is not None else state.value,
        "battery": state.value,
        "brightness": state.brightness,
        "position": state.position,
    }
    if about in values:
        value = values[about]
        if value is None:
            return say.say(
                "no_humidity" if about == "humidity" else "unknown", [entity], place=place
            )
        return say.say(about, [entity], value=say.number(value), place=place)
    return _other_reading(entity, state, say)


def _other_reading(entity: Entity, state: State, say: Wording) -> str:
    if entity.kind is Kind.DEVICE_TRACKER and state.value is not None:
        zones = {"home": "at_home", "not_home": "not_home"}
        zone = zones.get(str(state.value), "at_zone")
        return say.say(zone, [entity], value=state.value)
    if entity.kind is Kind.BINARY_SENSOR and state.on is not None:
        return say.say(f"stands.{'detected' if state.on else 'clear'}", [entity])
    value = next(
        (
            v
            for v in (state.value, state.activity, state.mode, state.cover, state.lock)
            if v is not None
        ),
        None,
    )
    if value is None and state.on is not None:
        return say.say(f"stands.{'on' if state.on else 'off'}", [entity])
    if value is None:
        return say.say("unknown", [entity])
    if isinstance(value, str):
        return say.say("reading", [entity], value=say.texts["modes"].get(value, value))
    unit = f" {entity.unit}" if entity.unit and isinstance(value, int | float) else ""
    return say.say("reading", [entity], value=f"{say.number(value)}{unit}")


def _temperature(entity: Entity, state: State, place: str, say: Wording) -> str:
    where = place or say.fill("{names}", [entity])
    measured = state.temperature
    if measured is None and isinstance(state.value, int | float):
        measured = float(state.value)
    if not state.available or measured is None:
        return say.say("no_temperature", [entity], place=where)
    value = say.number(measured)
    if state.mode == "off":
        return say.say("temperature_off", [entity], value=value, place=where)
    if state.target_temperature is not None:
        target = say.number(state.target_temperature)
        return say.say("temperature_set", [entity], value=value, place=where, target=target)
    return say.say("temperature", [entity], value=value, place=where)


def _places(places: Sequence[str], say: Wording) -> str:
    if not places:
        return ""
    shown = [p.lower() if say.language == "en" else p for p in places]
    return say.joined([str(say.texts["in"]).format(area=p) for p in shown], "or")

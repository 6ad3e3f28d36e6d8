"""What happened, told without the names that a language model must not read.

What is said aloud is remembered, and what is remembered is read by a model in the next turn.
"""

from collections.abc import Sequence
from dataclasses import replace

from parlour.home import replies
from parlour.home.entities import Command, Entity, House, Outcome, State, Verb
from parlour.home.paper import PaperHouse
from parlour.home.plainnames import (
    HIDDEN,
    is_plain,
    known_unit,
    known_word,
    owners_names,
    shown_name,
    shown_options,
)
from parlour.home.resolve import Asked, Unclear

_DEVICE = {
    "en": "device",
    "de": "Gerät",
    "hi": "डिवाइस",
    "mr": "डिव्हाइस",
    "gu": "ડિવાઇસ",
    "bn": "ডিভাইস",
    "ta": "சாதனம்",
    "te": "పరికరం",
    "ml": "ഉപകരണം",
}


def veil(entity: Entity, language: str) -> Entity:
    """The same thing under a name, and in a room, that may be read."""
    area = entity.area if entity.area and is_plain(entity.area) else None
    if is_plain(entity.name):
        return entity if area == entity.area else replace(entity, area=area)
    if owners_names(entity):
        return replace(entity, name=shown_name(entity, language), area=area)
    name = _DEVICE.get(language[:2], _DEVICE["en"])
    return replace(entity, name=name, area=area, aliases={})


def describe(
    outcomes: Sequence[Outcome], house: House, unable: Sequence[Unclear] = (), language: str = "en"
) -> str:
    known = [
        house.entities[o.command.target] for o in outcomes if o.command.target in house.entities
    ]
    veiled = PaperHouse(veil(entity, language) for entity in known)
    options = {e.id: {option: shown for shown, option in shown_options(e).items()} for e in known}

    def shown(outcome: Outcome) -> Outcome:
        command = outcome.command
        if command.verb is not Verb.SET_MODE:
            return outcome
        value = options.get(command.target, {}).get(str(command.value), "")
        return replace(outcome, command=replace(command, value=value))

    refused = [_veil_unclear(one, language) for one in unable]
    return replies.describe([shown(outcome) for outcome in outcomes], veiled, refused, language)


def explain(unclear: Unclear, language: str) -> str:
    return replies.explain(_veil_unclear(unclear, language), language)


def answer(asked: Asked, house: House, language: str) -> str:
    things = [veil(e, language) for e in asked.entities]
    things = [replace(e, unit=known_unit(e.unit) or None) for e in things]
    states = {e.id: _veil_state(house.state(e.id)) for e in things}
    veiled = PaperHouse(things, states=states)
    return replies.answer(replace(asked, entities=things), veiled, language)


def ask(held: Sequence[Command], house: House, language: str, *, wants_pin: bool) -> str:
    things = [veil(house.entities[command.target], language) for command in held]
    return replies.question(things, held[0].verb, language, wants_pin=wants_pin)


def _veil_unclear(unclear: Unclear, language: str) -> Unclear:
    things = [veil(entity, language) for entity in unclear.things]
    return replace(unclear, things=things, places=[p for p in unclear.places if is_plain(p)])


def _veil_state(state: State) -> State:
    """Without what a device says in words of its own."""
    value = _word(state.value) if isinstance(state.value, str) else state.value
    return replace(
        state,
        value=value,
        mode=_word(state.mode),
        activity=_word(state.activity),
        cover=_word(state.cover),
        lock=_word(state.lock),
    )


def _word(text: str | None) -> str | None:
    return text if text is None or known_word(text) else HIDDEN

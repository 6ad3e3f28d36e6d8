"""The home as its owner sees it: every device in full, and what was decided about it, kept."""

import logging
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict
from difflib import get_close_matches
from typing import Any

from anyio import to_thread
from pydantic import ValidationError

from parlour.app.interpret import as_record
from parlour.app.owner import overrides_of
from parlour.app.sections import Config
from parlour.catalogue.languages import find_language
from parlour.errors import InputError
from parlour.gateways.home import Change, HomeCalls, Record, Sentence
from parlour.home.entities import Entity, Verb
from parlour.home.interpretation import interpret
from parlour.home.language import LANGUAGES, load
from parlour.home.mqtt import MqttHouse
from parlour.home.permission import WRITING, tier
from parlour.home.store import Store
from parlour.home.vocabulary import names_of
from parlour.ids import DeviceId, EntityId
from parlour.ports import Grammar, Place

log = logging.getLogger(__name__)

WRITER = DeviceId(WRITING)
MOST_NEAR = 3  # ids named in an error


def writer_in(conversation: str | None) -> DeviceId:
    """Who asks over HTTP: each conversation is a device of its own."""
    return WRITER if conversation is None else DeviceId(f"{WRITER}:{conversation}")


class Calls:
    """What the routes ask, answered."""

    def __init__(self, config: Config, house: MqttHouse, grammar: Grammar, store: Store) -> None:
        self._config = config
        self._house = house
        self._grammar = grammar
        self._store = store
        self._decided: dict[str, dict[str, Any]] = {}
        self._language = config.stt.language or config.spoken[0]

    def routes(self) -> HomeCalls:
        return HomeCalls(
            self.entities, self.entity, self.change, self.areas, self.watch, self.interpret
        )

    async def load(self) -> None:
        """Take up what was decided before. Raises HomeError."""
        for id_, said in (await self._store.load_assignments()).items():
            try:
                self._decided[id_] = Change.model_validate(said).model_dump(exclude_unset=True)
            except ValidationError:
                log.warning("what was decided about %s cannot be used", id_)
        self._apply()

    async def entities(self) -> list[Record]:
        """In a large house it takes a while to say all names, so it is done aside."""
        ordered = sorted(self._house.entities.values(), key=lambda e: (e.floor or "", e.id))
        return await to_thread.run_sync(lambda: [self._record(entity) for entity in ordered])

    def entity(self, id_: str) -> Record:
        return self._record(self._find(id_))

    def change(self, id_: str, change: Change) -> Record:
        """Decide and keep. Raises InputError if there is no such thing."""
        entity = self._find(id_)
        said = change.model_dump(exclude_unset=True)
        if said.get("area") is not None:
            said["area"] = self.area(said["area"])
        before = self._decided.get(entity.id, {})
        if said.get("aliases") is not None:
            spoken = entity.name.replace("_", " ")  # which the house adds by itself
            said["aliases"] = {
                **before.get("aliases", {}),
                **{
                    language: list(dict.fromkeys(n for n in names if n != spoken))
                    for language, names in said["aliases"].items()
                },
            }
        after = {key: value for key, value in {**before, **said}.items() if value is not None}
        self._decided[entity.id] = after
        if not after:
            del self._decided[entity.id]
        self._store.save_assignment(entity.id, after)
        self._apply()
        return self._record(self._find(id_))

    def areas(self) -> Record:
        places = self._house.places
        entities = sorted(self._house.entities.values(), key=lambda e: e.id)
        areas = sorted(places.areas.values(), key=lambda a: (a.floor or "", a.name))
        return {
            "areas": [
                {
                    "name": area.name,
                    "floor": area.floor,
                    "aliases": _plain(area.aliases),
                    "devices": [e.id for e in entities if e.area == area.name],
                }
                for area in areas
            ],
            "floors": [
                {"name": floor.name, "aliases": _plain(floor.aliases)}
                for floor in places.floors.values()
            ],
            "elsewhere": [e.id for e in entities if e.area is None],
        }

    async def watch(self) -> AsyncIterator[Record]:
        async for change in self._house.watch():
            entity = change.entity
            yield {**_short(entity), "state": asdict(change.state), "gone": change.gone}

    def interpret(self, sentence: Sentence) -> Record:
        language = self.language(sentence.language)
        area = None if sentence.area is None else self.area(sentence.area)
        if area is not None and area not in self._house.places.areas:
            known = ", ".join(sorted(self._house.places.areas))
            raise InputError(f"there is no area {area}; known: {known or 'none yet'}")
        began_s = time.perf_counter()
        place = Place(WRITER, area)
        found = interpret(sentence.text, language, self._grammar, self._house, place)
        took_ms = (time.perf_counter() - began_s) * 1e3
        return {**as_record(found, language), "ms": round(took_ms, 2)}

    def language(self, asked: str | None) -> str:
        """That in which something is said. Raises InputError for one that the house has not."""
        return self._language if asked is None else find_language(asked)

    def area(self, asked: str) -> str:
        """As the house spells it; one that it does not know as it is given."""
        key = _key(asked)
        for area in self._house.places.areas.values():
            if key in map(_key, (area.name, *(n for ns in area.aliases.values() for n in ns))):
                return area.name
        return asked

    def _apply(self) -> None:
        self._house.set_overrides(overrides_of(self._config, self._decided))

    def _find(self, id_: str) -> Entity:
        entities = self._house.entities
        if (found := entities.get(EntityId(id_))) is not None:
            return found
        near = get_close_matches(id_.lower(), list(entities), MOST_NEAR, 0.5)
        near += [e.id for e in entities.values() if _key(id_) == _key(e.name)]
        hint = f"; did you mean {' or '.join(dict.fromkeys(near))}?" if near else ""
        raise InputError(f"there is no device {id_}{hint}")

    def _record(self, entity: Entity) -> Record:
        code = self._language[:2] if self._language[:2] in LANGUAGES else "en"
        return {
            **_short(entity),
            "aliases": _plain(entity.aliases),
            "names": list(names_of(entity, load(code))),
            "device_class": entity.device_class,
            "features": sorted(entity.features),
            "options": list(entity.options),
            "min": entity.min_value,
            "max": entity.max_value,
            "step": entity.step,
            "exposed": entity.exposed,
            "risk": max(tier(entity, verb) for verb in Verb),
            "decided": self._decided.get(entity.id, {}),
            "state": asdict(self._house.state(entity.id)),
        }


def _short(entity: Entity) -> dict[str, object]:
    return {
        "id": entity.id,
        "name": entity.name,
        "kind": entity.kind,
        "area": entity.area,
        "floor": entity.floor,
        "unit": entity.unit,
    }


def _plain(aliases: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    return {language: list(names) for language, names in aliases.items() if names}


def _key(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").split())

"""Where things stand: areas and floors as the owner and the devices name them; pure."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from parlour.home.entities import Area, Floor, Places
from parlour.home.overrides import Overrides


class Whereabouts:
    """The areas that the owner named, found in what devices call themselves."""

    def __init__(self, floors: Mapping[str, Sequence[str]], overrides: Overrides) -> None:
        areas = {
            area: Area(area, floor) for floor, listed in floors.items() for area in listed
        } | dict(overrides.areas)
        self._floors = {name: Floor(name) for name in floors} | dict(overrides.floors)
        for area in areas.values():
            if area.floor is not None:
                self._floors.setdefault(area.floor, Floor(area.floor))
        self._areas = areas
        self._by_name: dict[str, Area] = {}
        for area in areas.values():
            for name in (area.name, *(each for names in area.aliases.values() for each in names)):
                self._by_name.setdefault(make_slug(name), area)
        # The longest first: "Guest Bathroom" is no bathroom of a guest.
        self._slugs = sorted((slug for slug in self._by_name if slug), key=len, reverse=True)

    def find(self, area: str) -> Area:
        """The area of that name as the owner spells it, or a new one."""
        return self._by_name.get(make_slug(area)) or Area(area)

    def find_in(self, name: str) -> Area | None:
        """The area with which a thing's name begins, or else that it holds."""
        spoken = make_slug(name)
        for slug in self._slugs:
            # Not every script puts blanks between words.
            if f"{spoken}_".startswith(f"{slug}_") or (
                not slug.isascii() and spoken.startswith(slug)
            ):
                return self._by_name[slug]
        return next(
            (self._by_name[slug] for slug in self._slugs if f"_{slug}_" in f"_{spoken}_"), None
        )

    def places(self, standing: Iterable[tuple[str, str | None]]) -> Places:
        """All places, also those where nothing stands; `standing`: areas, floors of things."""
        areas, floors = dict(self._areas), dict(self._floors)
        for name, floor in standing:
            known = areas.setdefault(name, Area(name, floor))
            if known.floor is None and floor is not None:
                areas[name] = replace(known, floor=floor)
            if floor is not None:
                floors.setdefault(floor, Floor(floor))
        return Places(areas, floors)


def make_slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.lower().replace("ß", "ss"))
    plain = "".join(each for each in plain if not unicodedata.combining(each))
    return re.sub(r"\W+|_+", "_", plain).strip("_")


def make_id(area: str | None, name: str) -> str:
    """`kitchen.light` for the "Kitchen Light" in the kitchen; `home.` for a thing without an area."""
    room = make_slug(area or "") or "home"
    words = make_slug(name) or "thing"
    own = f"_{words}_".replace(f"_{room}_", "_", 1).strip("_")
    return f"{room}.{own or words}"

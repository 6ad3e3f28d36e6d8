"""What the owner says about the things of the house, over what they announce of themselves."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from parlour.home.definitions import Definition
from parlour.home.discovery import define
from parlour.home.entities import Area, Floor, Kind, Names
from parlour.home.payloads import as_text, clean_name
from parlour.ids import EntityId

_FIELDS = ("name", "area", "floor", "aliases", "risk", "expose", "mqtt")
_ID = re.compile(r"\w+\.\w+")


@dataclass(frozen=True, slots=True)
class Override:
    """Of one thing; None leaves what was announced."""

    name: str | None = None
    area: str | None = None
    floor: str | None = None
    aliases: Names = field(default_factory=dict)
    risk: int | None = None  # tier 0..3
    expose: bool | None = None
    # Makes a new thing: `component` (a discovery component, or "media") and its discovery keys.
    mqtt: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Overrides:
    """By entity id as it would be announced, by unique id or address, or by a new thing's id."""

    devices: Mapping[str, Override] = field(default_factory=dict)
    areas: Mapping[str, Area] = field(default_factory=dict)
    floors: Mapping[str, Floor] = field(default_factory=dict)


NO_OVERRIDES = Overrides()


def merge(overrides: Sequence[Override]) -> Override:
    """Of several about one thing, the first that says something of a field counts."""
    merged = overrides[0] if overrides else Override()
    for other in overrides[1:]:
        kept = {key: value for key in _FIELDS if (value := getattr(merged, key)) not in (None, {})}
        merged = replace(other, **kept)
    return merged


def define_own(key: str, override: Override) -> Definition:
    """Make the definition of a hand-written thing; ValueError, with the reason, when it is none."""
    config = dict(override.mqtt or {})
    component = as_text(config.pop("component", config.pop("platform", "")))
    if component not in {kind.value for kind in Kind}:
        raise ValueError(f"{key}: {clean_name(component) or 'nothing'} is no component")
    config.setdefault("name", override.name or key.rpartition(".")[2].replace("_", " ").title())
    try:
        made = define(f"own:{key}", component, config)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{key}: {error}") from error
    if made is None:
        raise ValueError(f"{key}: it is announced as disabled or as a setting")
    return replace(made, identity=f"own:{key}", area=override.area or made.area)


def own_id(key: str) -> EntityId | None:
    """The id that a hand-written thing was given, None when its key is no id."""
    return EntityId(key) if _ID.fullmatch(key) else None

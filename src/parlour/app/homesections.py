"""The sections of `config.yml` about the home: its places, its devices, and what voices may do."""

from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, Field, SecretStr

from parlour.app.section import Section
from parlour.app.values import AliasLanguage, Name, Pattern, between, digits, one_of
from parlour.home.entities import Verb

ALIASES = (
    "What else people call it, by language: {de_DE: [Küche]}; a list alone is for every language"
)
PERMITS = ("allow", "confirm", "deny")


def _by_language(value: object) -> object:
    return {"": value} if isinstance(value, list) else value


Aliases: TypeAlias = Annotated[dict[AliasLanguage, list[Name]], BeforeValidator(_by_language)]


class Floor(Section):
    """A floor of the house, by its name."""

    aliases: Aliases = Field(default_factory=dict, description=ALIASES)


class Area(Section):
    """A room or a part of the garden, by its name."""

    floor: Name | None = Field(
        default=None, description="The floor that it is on; null: that of mqtt.floors, if any"
    )
    aliases: Aliases = Field(default_factory=dict, description=ALIASES)


class Device(Section):
    """One device, by its id in `parlour home list`, its unique id, its IEEE or MAC address, or by the
    id that a new one is to have. `parlour home` changes most of this without a restart."""

    name: Name | None = Field(default=None, description="null: as it announces itself")
    area: Name | None = Field(default=None, description="Where it stands; null: as announced")
    floor: Name | None = Field(default=None, description="null: that of its area")
    aliases: Aliases = Field(default_factory=dict, description=ALIASES)
    risk: Annotated[int, between(0, 3, int)] | None = Field(
        default=None,
        description="0 nothing can happen, 1 lights and the like, 2 may annoy, 3 may let somebody"
        " in or harm; null: that of its kind",
    )
    expose: bool | None = Field(
        default=None, description="false: it cannot be commanded or asked about by voice"
    )
    mqtt: dict[str, Any] | None = Field(
        default=None,
        description="Makes a new device: `component` (light, switch, media, ...) and the keys of"
        " Home Assistant's discovery, as in docs/home.md",
    )


class Rule(Section):
    """Who may do what to which device. Of several rules that fit, deny wins, then confirm."""

    permit: Annotated[str, one_of(PERMITS)] = Field(description="allow, confirm or deny")
    who: Name = Field(
        default="*", description="A satellite's id, an area, or `writing` for what comes over HTTP"
    )
    target: Pattern = Field(default="*", description="A device's id, or a pattern: hall.*, *.lock")
    verb: Annotated[str, one_of(("*", *Verb))] = Field(
        default="*",
        description="on, off, open, unlock, ...; set_brightness and the like for values",
    )


class Permissions(Section):
    """What may be done by voice, and what is asked back first."""

    risky: Annotated[str, one_of(("confirm", "deny"))] | None = Field(
        default=None,
        description="What may let somebody in or harm (unlock, open a garage, a gate or a valve):"
        " confirm asks back, deny refuses; null: confirm in the demo home, else deny",
    )
    pin: Annotated[SecretStr, digits(4, 12)] | None = Field(
        default=None,
        description="4 to 12 digits in quotes, to be spoken where a yes would do otherwise",
    )
    rules: list[Rule] = Field(
        default_factory=list, description="See permissions.rules below; where none fits, `risky`"
    )

"""What people call things in general, "the lights", and which things of a house are meant by it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from parlour.home.entities import Entity, Feature, Kind

_BARRIERS = frozenset({"garage", "gate", "door", "window", "damper"})
"""Covers that let people in are moved by their own name or kind only, never as "the blinds"."""

_OPENINGS = frozenset({"door", "garage_door", "opening", "window", "garage", "gate"})

# A switch that feeds a lamp is a lamp to those who live there: by its name, in any language.
_LAMPS = frozenset(
    [
        "light",
        "lights",
        "lamp",
        "lamps",
        "licht",
        "lichter",
        "lampe",
        "leuchte",
        "लाइट",
        "बत्ती",
        "लैम्प",
        "दिवा",
        "दिवे",
        "લાઇટ",
        "બત્તી",
        "આলো",
        "আলো",
        "লাইট",
        "বাতি",
        "விளக்கு",
        "லைட்",
        "లైట్",
        "దీపం",
        "ലൈറ്റ്",
        "വിളക്ക്",
    ]
)
_FANS = frozenset(
    [
        "fan",
        "fans",
        "ventilator",
        "lüfter",
        "पंखा",
        "फैन",
        "पंखे",
        "पंखो",
        "फॅन",
        "પંખો",
        "પંખા",
        "ફેન",
        "পাখা",
        "ফ্যান",
        "மின்விசிறி",
        "ஃபேன்",
        "விசிறி",
        "ఫ్యాన్",
        "పంకా",
        "ഫാൻ",
        "പങ്ക",
    ]
)


def _words(entity: Entity) -> frozenset[str]:
    named = (entity.name, *(alias for each in entity.aliases.values() for alias in each))
    return frozenset(word for name in named for word in re.split(r"[\s_-]+", name.casefold()))


def _is_light(entity: Entity) -> bool:
    is_wired = entity.kind is Kind.SWITCH and not _words(entity).isdisjoint(_LAMPS)
    return entity.kind is Kind.LIGHT or is_wired


def _is_fan(entity: Entity) -> bool:
    is_wired = entity.kind is Kind.SWITCH and not _words(entity).isdisjoint(_FANS)
    return entity.kind is Kind.FAN or is_wired


_SHADES = {
    "curtain": frozenset(
        [
            "curtain",
            "curtains",
            "drapes",
            "vorhang",
            "vorhänge",
            "gardine",
            "gardinen",
            "परदा",
            "परदे",
            "पर्दा",
            "पर्दे",
            "पडदा",
            "पडदे",
            "પડદો",
            "પડદા",
            "পর্দা",
            "திரை",
            "திரைச்சீலை",
            "கர்ட்டன்",
            "పరదా",
            "తెర",
            "కర్టెన్",
            "കർട്ടൻ",
            "തിരശ്ശീല",
            "कर्टन",
        ]
    ),
    "shutter": frozenset(
        ["shutter", "shutters", "rollladen", "rollläden", "rollo", "rollos", "शटर", "শাটার"]
    ),
    "blind": frozenset(
        ["blind", "blinds", "jalousie", "jalousien", "raffstore", "raffstores", "plissee"]
    ),
}


def shade_of(entity: Entity) -> str:
    """Which sort of shade a cover is, as far as its class or its name tells; "" if not."""
    if entity.device_class in _SHADES:
        return entity.device_class
    words = _words(entity)
    return next((sort for sort, names in _SHADES.items() if not words.isdisjoint(names)), "")


def _is_cover(entity: Entity, *classes: str) -> bool:
    return entity.kind is Kind.COVER and entity.device_class in classes


def _is_shade(entity: Entity) -> bool:
    return entity.kind is Kind.COVER and entity.device_class not in _BARRIERS


def _is_opening(entity: Entity, *classes: str) -> bool:
    is_contact = entity.kind is Kind.BINARY_SENSOR and entity.device_class in classes
    return is_contact or _is_cover(entity, *classes)


def _is_appliance(entity: Entity) -> bool:
    """What "everything off" turns off: not what cools food, locks doors or warms the house."""
    return entity.kind in (Kind.LIGHT, Kind.SWITCH, Kind.FAN, Kind.MEDIA)


_AIRCONS = frozenset(
    [
        "ac",
        "aircon",
        "conditioner",
        "cooler",
        "klimaanlage",
        "klima",
        "एसी",
        "ఏసీ",
        "ஏசி",
        "എസി",
        "এসি",
        "એસી",
    ]
)


def is_aircon(entity: Entity) -> bool:
    """What is called one, or cannot heat."""
    if entity.kind is not Kind.CLIMATE:
        return False
    only_cools = "cool" in entity.options and "heat" not in entity.options
    return only_cools or not _words(entity).isdisjoint(_AIRCONS)


def _can_cool(entity: Entity) -> bool:
    return is_aircon(entity) or (entity.kind is Kind.CLIMATE and "cool" in entity.options)


KINDS: Mapping[str, Callable[[Entity], bool]] = {
    "light": _is_light,
    "lamp": _is_light,  # narrowed to what is called a lamp, if anything is: resolve
    "fan": _is_fan,
    "outlet": lambda e: e.kind is Kind.SWITCH,
    "switch": lambda e: e.kind is Kind.SWITCH,
    "blind": _is_shade,  # these three are narrowed to what is called so, if anything is: resolve
    "shutter": _is_shade,
    "curtain": _is_shade,
    "awning": lambda e: _is_cover(e, "awning"),
    "garage": lambda e: _is_opening(e, "garage", "garage_door"),
    "gate": lambda e: _is_opening(e, "gate"),
    "door": lambda e: (
        _is_opening(e, "door", "opening") or (e.kind is Kind.LOCK and e.device_class is None)
    ),
    "window": lambda e: _is_opening(e, "window"),
    "lock": lambda e: e.kind is Kind.LOCK,
    "valve": lambda e: e.kind is Kind.VALVE,
    "siren": lambda e: e.kind is Kind.SIREN,
    "vacuum": lambda e: e.kind is Kind.VACUUM,
    "climate": lambda e: e.kind is Kind.CLIMATE,
    "ac": _can_cool,
    "humidifier": lambda e: e.kind is Kind.HUMIDIFIER,
    "media": lambda e: e.kind is Kind.MEDIA,
    "everything": _is_appliance,
}


@dataclass(frozen=True, slots=True)
class View:
    """What a verb may go to: things by name, and words for kinds."""

    has: Callable[[Entity], bool]
    kinds: frozenset[str] = frozenset()
    takes_short: bool = False  # also by a name without the word for what it does or measures


def _view(kinds: str, *of: Kind, takes_short: bool = False) -> View:
    return View(lambda entity: entity.kind in of, frozenset(kinds.split()), takes_short)


def _sensors(*classes: str) -> View:
    def has(entity: Entity) -> bool:
        return entity.kind is Kind.SENSOR and entity.device_class in classes

    return View(has, takes_short=True)


_ALL = frozenset(KINDS)
_SETTABLE = (
    Kind.LIGHT,
    Kind.COVER,
    Kind.FAN,
    Kind.MEDIA,
    Kind.HUMIDIFIER,
    Kind.VALVE,
    Kind.CLIMATE,
)
_READ = (Kind.SENSOR, Kind.BINARY_SENSOR)

VIEWS: Mapping[str, View] = {
    "onoff": View(
        lambda e: Feature.ON_OFF in e.features or e.kind in (Kind.VACUUM, Kind.VALVE),
        frozenset(
            [
                "light",
                "lamp",
                "fan",
                "outlet",
                "switch",
                "siren",
                "climate",
                "ac",
                "humidifier",
                "media",
                "valve",
                "vacuum",
                "everything",
            ]
        ),
    ),
    "light": View(_is_light, frozenset({"light", "lamp"})),
    "cover": _view(
        "blind shutter curtain awning garage gate door window valve", Kind.COVER, Kind.VALVE
    ),
    "moving": _view(
        "blind shutter curtain awning garage gate vacuum valve media",
        Kind.COVER,
        Kind.VALVE,
        Kind.VACUUM,
        Kind.MEDIA,
    ),
    "lock": _view("lock door", Kind.LOCK, takes_short=True),
    "startable": View(
        lambda e: e.kind in (Kind.VACUUM, Kind.MEDIA, Kind.SWITCH, Kind.FAN, Kind.HUMIDIFIER),
        frozenset(["vacuum", "media", "fan", "humidifier"]),
    ),
    "vacuum": _view("vacuum", Kind.VACUUM),
    "scene": _view("", Kind.SCENE, Kind.BUTTON),
    "pausable": _view("vacuum media", Kind.VACUUM, Kind.MEDIA),
    "media": _view("media", Kind.MEDIA),
    "settable": _view(
        "light lamp blind shutter curtain awning fan media humidifier valve climate ac", *_SETTABLE
    ),
    "adjustable": _view("light lamp fan media humidifier climate ac", *_SETTABLE, Kind.NUMBER),
    "fan": View(_is_fan, frozenset({"fan"})),
    "humidifier": _view("humidifier", Kind.HUMIDIFIER),
    "number": _view("", Kind.NUMBER),
    "moded": View(
        lambda e: e.kind in (Kind.CLIMATE, Kind.FAN, Kind.HUMIDIFIER, Kind.SELECT),
        frozenset(["climate", "ac", "fan", "humidifier"]),
    ),
    "climate": _view("climate ac", Kind.CLIMATE),
    "switched": View(
        lambda e: Feature.ON_OFF in e.features or e.kind is Kind.MEDIA,
        frozenset(
            [
                "light",
                "lamp",
                "fan",
                "outlet",
                "switch",
                "siren",
                "climate",
                "ac",
                "humidifier",
                "media",
                "everything",
            ]
        ),
    ),
    "opening": View(
        lambda e: (
            e.kind in (Kind.COVER, Kind.VALVE)
            or (e.kind is Kind.BINARY_SENSOR and e.device_class in _OPENINGS)
        ),
        frozenset(["blind", "curtain", "awning", "garage", "gate", "door", "window", "valve"]),
        takes_short=True,
    ),
    "sensor": View(lambda e: e.kind in _READ),
    "temperature_sensor": _sensors("temperature"),
    "humidity_sensor": _sensors("humidity"),
    "battery": _sensors("battery"),
    "power": _sensors("power", "energy", "current"),
    "tracker": _view("", Kind.DEVICE_TRACKER),
    "any": View(lambda _: True, _ALL),
}

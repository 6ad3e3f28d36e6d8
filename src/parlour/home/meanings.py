"""What the blocks of a language's file mean: the one table that all languages share."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from parlour.home.entities import Feature, Kind, Verb


class Sort(StrEnum):
    """What is to be done about an intent."""

    ACT = "act"  # a verb that takes no value
    SET = "set"  # to a value
    CHANGE = "change"  # by an amount
    ASK = "ask"  # how things stand
    CLOCK = "clock"  # timers and alarms
    ANNOUNCE = "announce"
    TALK = "talk"  # a fixed answer


@dataclass(frozen=True, slots=True)
class Meaning:
    """`kind` is what is meant when nothing is named; `about` what is asked."""

    sort: Sort
    verb: Verb | None = None
    kind: str = ""
    about: str = ""
    sign: int = 0


def _acts(*verbs: Verb) -> dict[str, Meaning]:
    return {verb.value: Meaning(Sort.ACT, verb) for verb in verbs}


def _sets(**kinds: str) -> dict[str, Meaning]:
    return {name: Meaning(Sort.SET, Verb(name), kind) for name, kind in kinds.items()}


def _changes(verb: Verb | None, kind: str, up: str, down: str) -> dict[str, Meaning]:
    return {
        up: Meaning(Sort.CHANGE, verb, kind, sign=1),
        down: Meaning(Sort.CHANGE, verb, kind, sign=-1),
    }


def _asks(**kinds: str) -> dict[str, Meaning]:
    return {
        f"ask_{about}": Meaning(Sort.ASK, kind=kind, about=about) for about, kind in kinds.items()
    }


MEANINGS: Mapping[str, Meaning] = {
    "on": Meaning(Sort.ACT, Verb.ON, "light"),  # "it is dark in here"
    "off": Meaning(Sort.ACT, Verb.OFF, "light"),
    **_acts(
        Verb.TOGGLE,
        Verb.OPEN,
        Verb.CLOSE,
        Verb.STOP,
        Verb.LOCK,
        Verb.UNLOCK,
        Verb.ACTIVATE,
        Verb.DOCK,
        Verb.LOCATE,
    ),
    "start": Meaning(Sort.ACT, Verb.START, "vacuum"),
    "pause": Meaning(Sort.ACT, Verb.PAUSE, "media"),
    "mute": Meaning(Sort.ACT, Verb.MUTE, "media"),
    "unmute": Meaning(Sort.ACT, Verb.UNMUTE, "media"),
    "set": Meaning(Sort.SET),  # to a share, of whatever the thing has
    "set_closed": Meaning(Sort.SET, Verb.SET_POSITION, "blind", sign=-1),
    **_sets(
        set_brightness="light",
        set_color="light",
        set_color_temp="light",
        set_position="blind",
        set_tilt="blind",
        set_temperature="climate",
        set_speed="fan",
        set_volume="media",
        set_humidity="humidifier",
        set_mode="climate",
        set_value="",
    ),
    "tilt_open": Meaning(Sort.SET, Verb.SET_TILT, "blind", about="100"),
    "tilt_close": Meaning(Sort.SET, Verb.SET_TILT, "blind", about="0"),
    **_changes(None, "", "up", "down"),
    **_changes(Verb.SET_BRIGHTNESS, "light", "brighter", "darker"),
    **_changes(Verb.SET_TEMPERATURE, "climate", "warmer", "colder"),
    **_changes(Verb.SET_VOLUME, "media", "louder", "quieter"),
    **_changes(Verb.SET_SPEED, "fan", "faster", "slower"),
    **_asks(
        on="light",
        off="light",
        open="window",
        closed="window",
        locked="lock",
        unlocked="lock",
        temperature="",
        humidity="",
        battery="",
        brightness="light",
        position="blind",
        state="",
    ),
    **{
        name: Meaning(Sort.CLOCK)
        for name in (
            "timer_start",
            "timer_add",
            "timer_cancel",
            "timer_pause",
            "timer_resume",
            "timer_status",
            "alarm_set",
            "alarm_cancel",
            "alarm_status",
        )
    },
    "announce": Meaning(Sort.ANNOUNCE),
    "time": Meaning(Sort.TALK),
    "date": Meaning(Sort.TALK),
    "nevermind": Meaning(Sort.TALK),
}

SHARES: Mapping[Kind, Verb] = {
    Kind.LIGHT: Verb.SET_BRIGHTNESS,
    Kind.COVER: Verb.SET_POSITION,
    Kind.VALVE: Verb.SET_POSITION,
    Kind.FAN: Verb.SET_SPEED,
    Kind.MEDIA: Verb.SET_VOLUME,
    Kind.HUMIDIFIER: Verb.SET_HUMIDITY,
    Kind.CLIMATE: Verb.SET_TEMPERATURE,
    Kind.NUMBER: Verb.SET_VALUE,
}
"""What "set it to 40 percent", "turn it up" are about, by the kind of the thing."""

STEPS: Mapping[Verb, float] = {
    Verb.SET_BRIGHTNESS: 20.0,
    Verb.SET_POSITION: 20.0,
    Verb.SET_SPEED: 25.0,
    Verb.SET_VOLUME: 10.0,
    Verb.SET_HUMIDITY: 5.0,
    Verb.SET_TEMPERATURE: 1.0,
}
"""How much "a bit" is."""

NEEDS: Mapping[Verb, Feature] = {
    Verb.ON: Feature.ON_OFF,
    Verb.OFF: Feature.ON_OFF,
    Verb.TOGGLE: Feature.ON_OFF,
    Verb.OPEN: Feature.OPEN_CLOSE,
    Verb.CLOSE: Feature.OPEN_CLOSE,
    Verb.STOP: Feature.STOP,
    Verb.LOCK: Feature.LOCK,
    Verb.UNLOCK: Feature.LOCK,
    Verb.ACTIVATE: Feature.ACTIVATE,
    Verb.START: Feature.START,
    Verb.PAUSE: Feature.PAUSE,
    Verb.DOCK: Feature.DOCK,
    Verb.LOCATE: Feature.LOCATE,
    Verb.MUTE: Feature.MUTE,
    Verb.UNMUTE: Feature.MUTE,
    Verb.SET_BRIGHTNESS: Feature.BRIGHTNESS,
    Verb.SET_COLOR: Feature.COLOR,
    Verb.SET_COLOR_TEMP: Feature.COLOR_TEMP,
    Verb.SET_POSITION: Feature.POSITION,
    Verb.SET_TILT: Feature.TILT,
    Verb.SET_TEMPERATURE: Feature.TEMPERATURE,
    Verb.SET_SPEED: Feature.SPEED,
    Verb.SET_VOLUME: Feature.VOLUME,
    Verb.SET_HUMIDITY: Feature.HUMIDITY,
    Verb.SET_MODE: Feature.MODE,
    Verb.SET_VALUE: Feature.VALUE,
}

INSTEAD: Mapping[Verb, tuple[Verb, ...]] = {
    Verb.ON: (Verb.ACTIVATE, Verb.START, Verb.OPEN),
    Verb.OFF: (Verb.DOCK, Verb.CLOSE, Verb.STOP),
    Verb.STOP: (Verb.PAUSE, Verb.OFF),
    Verb.START: (Verb.ACTIVATE, Verb.ON),
    Verb.ACTIVATE: (Verb.ON,),
    Verb.PAUSE: (Verb.STOP,),
}
"""What people mean by a verb where the thing has no such: a scene that is turned on is activated.

Never across a risk: nothing here unlocks, and only a valve is opened by "turn on".
"""

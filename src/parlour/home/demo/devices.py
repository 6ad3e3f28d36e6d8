"""How simulated devices behave: pure, the time is an argument; nothing here knows a message.

Every device has `advance(now_s)`, which moves it on and returns how long until it moves again, and
`truth`, what it really is, in the units people use.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

Truth = dict[str, object]
NEVER = float("inf")

RAMP_S = 0.5  # a light takes so long from dark to full
TRAVEL_S = 3.0  # blinds take so long from one end to the other
TILT_S = 1.0  # so do their slats
DRIFT_S = 4.0  # a room's temperature is measured so often
TURN_S = 0.6  # a lock takes so long to turn
CLEAN_S = 120.0  # a vacuum cleans so long before it returns
RETURN_S = 15.0
STEP_S = 0.05  # how often a moving device is looked at


class Device(Protocol):
    def advance(self, now_s: float) -> float:
        """Move on to `now_s`; return how long until it moves again."""
        ...

    @property
    def truth(self) -> Truth: ...


@dataclass(slots=True)
class Light:
    """Dims at a constant speed; `goal` is where it is going. `modes`: what it can, last its first."""

    modes: tuple[str, ...] = ("brightness",)
    is_on: bool = False
    level: float = 100.0  # per cent
    goal: float = 100.0
    rgb: tuple[int, int, int] = (255, 255, 255)
    mireds: int = 370
    mode: str = ""
    _moved_s: float = 0.0

    def __post_init__(self) -> None:
        self.mode = self.modes[-1]

    def turn(self, on: bool) -> None:
        self.is_on = on

    def dim(self, per_cent: float, now_s: float) -> None:
        """Go to a brightness and so turn on; 0 turns off and keeps the brightness."""
        self.advance(now_s)
        self.is_on = per_cent > 0
        if self.is_on:
            self.goal = min(100.0, per_cent)

    def color(self, rgb: tuple[int, int, int]) -> None:
        """Show a colour and so turn on; a light without colours ignores it."""
        if "color" not in self.modes:
            return
        self.rgb, self.mode, self.is_on = rgb, "color", True

    def warm(self, mireds: float) -> None:
        if "color_temp" not in self.modes:
            return
        self.mireds, self.mode, self.is_on = round(min(500, max(153, mireds))), "color_temp", True

    def advance(self, now_s: float) -> float:
        self.level = _approach(self.level, self.goal, (now_s - self._moved_s) * 100 / RAMP_S)
        self._moved_s = now_s
        return STEP_S if self.level != self.goal else NEVER

    @property
    def truth(self) -> Truth:
        truth: Truth = {"on": self.is_on, "level": round(self.goal)}
        if self.mode == "color":
            truth["color"] = self.rgb
        elif self.mode == "color_temp":
            truth["kelvin"] = round(1e6 / self.mireds)
        return truth


@dataclass(slots=True)
class Switch:
    """A relay, an outlet or a siren; `watts` is what it draws when it is on."""

    is_on: bool = False
    watts: float = 0.0

    def turn(self, on: bool) -> None:
        self.is_on = on

    @property
    def power(self) -> float:
        return self.watts if self.is_on else 0.0

    def advance(self, now_s: float) -> float:
        return NEVER

    @property
    def truth(self) -> Truth:
        return {"on": self.is_on}


@dataclass(slots=True)
class Cover:
    """Blinds, a door, a valve: travels at a constant speed; `tilt` is None without slats."""

    position: float = 100.0  # per cent open
    tilt: float | None = None
    travel_s: float = TRAVEL_S
    goal: float = field(init=False)
    tilt_goal: float = field(init=False)
    _moved_s: float = 0.0

    def __post_init__(self) -> None:
        self.goal, self.tilt_goal = self.position, self.tilt or 0.0

    def go(self, per_cent: float, now_s: float) -> None:
        self.advance(now_s)
        self.goal = min(100.0, max(0.0, per_cent))

    def stop(self, now_s: float) -> None:
        self.advance(now_s)
        self.goal, self.tilt_goal = self.position, self.tilt or 0.0

    def slant(self, per_cent: float, now_s: float) -> None:
        self.advance(now_s)
        self.tilt_goal = min(100.0, max(0.0, per_cent))

    def obey(self, word: str, now_s: float) -> None:
        """Do "OPEN", "CLOSE" or "STOP"; KeyError for any other word."""
        if word == "STOP":
            self.stop(now_s)
        else:
            self.go({"OPEN": 100.0, "CLOSE": 0.0}[word], now_s)

    def advance(self, now_s: float) -> float:
        gone_s = now_s - self._moved_s
        self._moved_s = now_s
        self.position = _approach(self.position, self.goal, gone_s * 100 / self.travel_s)
        is_still = self.position == self.goal
        if self.tilt is not None:
            self.tilt = _approach(self.tilt, self.tilt_goal, gone_s * 100 / TILT_S)
            is_still = is_still and self.tilt == self.tilt_goal
        return NEVER if is_still else STEP_S

    @property
    def doing(self) -> str:
        if self.goal != self.position:
            return "opening" if self.goal > self.position else "closing"
        return "closed" if self.position == 0 else "open"

    @property
    def truth(self) -> Truth:
        truth: Truth = {"position": round(self.position), "doing": self.doing}
        return truth if self.tilt is None else truth | {"tilt": round(self.tilt)}


@dataclass(slots=True)
class Thermostat:
    """Drifts a tenth of a degree every `DRIFT_S` towards its target, or towards 16 when off."""

    target: float = 21.0  # °C
    measured: float = 20.4
    modes: tuple[str, ...] = ("off", "heat")
    mode: str = "heat"
    least: float = 5.0
    most: float = 30.0
    _drifted_s: float | None = None

    def aim(self, degrees: float) -> None:
        self.target = min(self.most, max(self.least, degrees))

    def switch(self, mode: str) -> None:
        self.mode = mode if mode in self.modes else self.mode

    def advance(self, now_s: float) -> float:
        if self._drifted_s is None:
            self._drifted_s = now_s
        while now_s - self._drifted_s >= DRIFT_S:
            self._drifted_s += DRIFT_S
            goal = 16.0 if self.mode == "off" else self.target
            self.measured = round(_approach(self.measured, goal, 0.1), 1)
        return self._drifted_s + DRIFT_S - now_s

    @property
    def truth(self) -> Truth:
        return {"target": self.target, "temperature": self.measured, "mode": self.mode}


@dataclass(slots=True)
class Fan:
    is_on: bool = False
    speed: float = 50.0  # per cent
    presets: tuple[str, ...] = ()
    preset: str | None = None

    def turn(self, on: bool) -> None:
        self.is_on = on

    def blow(self, per_cent: float) -> None:
        """Take a speed, which ends a preset; 0 turns off and keeps the speed."""
        self.is_on = per_cent > 0
        if self.is_on:
            self.speed, self.preset = min(100.0, per_cent), None

    def take_preset(self, preset: str) -> None:
        if preset in self.presets:
            self.preset, self.is_on = preset, True

    def advance(self, now_s: float) -> float:
        return NEVER

    @property
    def truth(self) -> Truth:
        truth: Truth = {"on": self.is_on, "speed": round(self.speed)}
        return truth | {"preset": self.preset} if self.presets else truth


@dataclass(slots=True)
class Lock:
    is_locked: bool = True
    _goal: bool | None = None
    _done_s: float = 0.0

    def turn(self, locked: bool, now_s: float) -> None:
        self._goal, self._done_s = locked, now_s + TURN_S

    def advance(self, now_s: float) -> float:
        if self._goal is None:
            return NEVER
        if now_s < self._done_s:
            return self._done_s - now_s
        self.is_locked, self._goal = self._goal, None
        return NEVER

    @property
    def truth(self) -> Truth:
        return {"locked": self.is_locked}


@dataclass(slots=True)
class Vacuum:
    """Cleans for `CLEAN_S`, then goes home by itself; on the way the battery goes down."""

    activity: str = "docked"  # "cleaning", "paused", "returning", "idle" too
    battery: float = 100.0
    located: int = 0  # how often it was asked where it is
    _left_s: float = CLEAN_S  # of the cleaning or the way home
    _moved_s: float = 0.0

    def obey(self, word: str, now_s: float) -> None:
        """Do "start", "pause", "stop", "return_to_base", "clean_spot" or "locate", else nothing."""
        self.advance(now_s)
        match word:
            case "start" | "clean_spot":
                self._left_s = self._left_s if self.activity == "paused" else CLEAN_S
                self.activity = "cleaning"
            case "pause" if self.activity in ("cleaning", "returning"):
                self.activity = "paused"
            case "stop" if self.activity != "docked":
                self.activity = "idle"
            case "return_to_base" if self.activity != "docked":
                self.activity, self._left_s = "returning", RETURN_S
            case "locate":
                self.located += 1
            case _:
                pass

    def advance(self, now_s: float) -> float:
        gone_s, self._moved_s = now_s - self._moved_s, now_s
        if self.activity == "docked":
            self.battery = min(100.0, self.battery + gone_s / 30)
            return NEVER if self.battery == 100.0 else 30.0
        if self.activity not in ("cleaning", "returning"):
            return NEVER
        self.battery = max(5.0, self.battery - min(gone_s, self._left_s) / 10)
        self._left_s -= gone_s
        if self._left_s <= 0:
            is_home = self.activity == "returning"
            self.activity = "docked" if is_home else "returning"
            self._left_s = RETURN_S
        return min(10.0, self._left_s)

    @property
    def truth(self) -> Truth:
        return {
            "activity": self.activity,
            "battery": round(self.battery),
            "located": self.located,
        }


@dataclass(slots=True)
class Button:
    """A button or a scene: counts how often it was pressed, and does something, or nothing."""

    does: Callable[[float], None] | None = None
    presses: int = 0

    def press(self, now_s: float) -> None:
        self.presses += 1
        if self.does is not None:
            self.does(now_s)

    def advance(self, now_s: float) -> float:
        return NEVER

    @property
    def truth(self) -> Truth:
        return {"presses": self.presses}


@dataclass(slots=True)
class Number:
    value: float
    least: float
    most: float
    step: float
    unit: str

    def take(self, value: float) -> None:
        """Take a value as the firmware does: none out of range, and onto the step."""
        if self.least <= value <= self.most:
            self.value = self.least + round((value - self.least) / self.step) * self.step

    def advance(self, now_s: float) -> float:
        return NEVER

    @property
    def truth(self) -> Truth:
        return {"value": self.value}


@dataclass(slots=True)
class Select:
    options: tuple[str, ...]
    option: str

    def take(self, option: str) -> None:
        self.option = option if option in self.options else self.option

    def advance(self, now_s: float) -> float:
        return NEVER

    @property
    def truth(self) -> Truth:
        return {"option": self.option}


@dataclass(slots=True)
class Humidifier:
    """Brings the air half a per cent nearer to its target every `DRIFT_S` while it is on."""

    is_on: bool = False
    target: float = 50.0
    measured: float = 41.0
    modes: tuple[str, ...] = ("normal", "sleep", "boost")
    mode: str = "normal"
    _drifted_s: float | None = None

    def turn(self, on: bool) -> None:
        self.is_on = on

    def aim(self, per_cent: float) -> None:
        self.target = min(80.0, max(30.0, per_cent))

    def switch(self, mode: str) -> None:
        self.mode = mode if mode in self.modes else self.mode

    def advance(self, now_s: float) -> float:
        if self._drifted_s is None:
            self._drifted_s = now_s
        while now_s - self._drifted_s >= DRIFT_S:
            self._drifted_s += DRIFT_S
            self.measured = _approach(self.measured, self.target if self.is_on else 40.0, 0.5)
        return self._drifted_s + DRIFT_S - now_s

    @property
    def truth(self) -> Truth:
        return {
            "on": self.is_on,
            "target": self.target,
            "humidity": self.measured,
            "mode": self.mode,
        }


@dataclass(slots=True)
class Sensor:
    """A value that swings slowly about its middle, looked at every `every_s`."""

    middle: float
    swing: float
    digits: int = 1
    period_s: float = 3600.0
    every_s: float = 30.0
    value: float = field(init=False)
    _began_s: float | None = None

    def __post_init__(self) -> None:
        self.value = self._rounded(self.middle)

    def advance(self, now_s: float) -> float:
        if self._began_s is None:
            self._began_s = now_s
        looks, rest_s = divmod(now_s - self._began_s, self.every_s)
        turn = math.tau * looks * self.every_s / self.period_s
        self.value = self._rounded(self.middle + self.swing * math.sin(turn))
        return self.every_s - rest_s

    def _rounded(self, value: float) -> float:
        return round(value, self.digits) if self.digits else round(value)

    @property
    def truth(self) -> Truth:
        return {"value": self.value}


@dataclass(slots=True)
class Detector:
    """A window, a motion detector, a phone: of `every_s` it detects for `for_s`, and not for the
    rest; which of the two comes first is how it begins."""

    detects: bool = False
    every_s: float = NEVER
    for_s: float = 0.0
    _begins: bool = field(init=False)
    _began_s: float | None = None

    def __post_init__(self) -> None:
        self._begins = self.detects

    def advance(self, now_s: float) -> float:
        if self.every_s == NEVER:
            return NEVER
        if self._began_s is None:
            self._began_s = now_s
        at_s = (now_s - self._began_s) % self.every_s
        first_s = self.for_s if self._begins else self.every_s - self.for_s
        is_first = at_s < first_s
        self.detects = is_first is self._begins
        return (first_s if is_first else self.every_s) - at_s

    @property
    def truth(self) -> Truth:
        return {"detects": self.detects}


def _approach(value: float, goal: float, most: float) -> float:
    return value + min(most, max(-most, goal - value))

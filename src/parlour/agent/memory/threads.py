"""Who talks in which conversation: one for the house, one a person, or one that follows you."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from parlour.ids import DeviceId

Mode: TypeAlias = Literal["device", "person", "house"]

HANDOVER_S = 120.0
MOST_DEVICES = 500
LONGEST_ID = 200  # characters
WRITING = "writing"  # how the ids of those begin who write instead of speaking

# Mode "device": somebody begins at a device. A conversation is fresh if it had a turn within
# `handover_s`, at whatever device. "Elsewhere" are fresh conversations whose last turn was at
# another device of the same person, or, of a device that belongs to nobody, at another such one.
#
# | the device's own conversation        | fresh elsewhere | it goes on in                     |
# |--------------------------------------|-----------------|-----------------------------------|
# | is fresh                             | any number      | its own                           |
# | is silent, or there was none yet     | exactly one     | that one, which is now its own    |
# | is silent, last turn at this device  | none or several | its own                           |
# | is silent, last turn at another one  | none or several | a new one (the other took it over)|
#
# A device is in the conversation of its last turn only; who has left one counts no longer there.
# Nobody who writes takes over or is taken over. Several fresh ones are not guessed between.


@dataclass(frozen=True, slots=True)
class _Last:
    """The last turn at a device: in which conversation, and when."""

    thread: str
    at_s: float


class Threads:
    """Pure: the time is an argument, in seconds of a clock that is never set.

    `thread` changes nothing, so it may be asked for an utterance that is still a guess; `spoke`
    is said once its answer is given.
    """

    def __init__(
        self, mode: Mode, person_of: Mapping[DeviceId, str], handover_s: float = HANDOVER_S
    ) -> None:
        self.changes = 0  # how often there was something new to be kept
        self._mode = mode
        self._person_of = dict(person_of)
        self._handover_s = handover_s
        self._last: dict[DeviceId, _Last] = {}  # the device that spoke last is at the end
        self._begun: dict[DeviceId, int] = {}  # conversations that a device began, if not one

    def thread(self, device: DeviceId, now_s: float) -> str:
        """The conversation in which an utterance at this device belongs."""
        person = self._person_of.get(device, "")
        if self._mode == "house":
            return "house"
        if self._mode == "person" and person:
            return f"person:{person}"
        last = self._last.get(device)
        if self._mode == "person" or _writes(device):
            return f"device:{device}"
        speakers = self._speakers()
        fresh = {
            each.thread: speaker
            for speaker, each in speakers.items()
            if now_s - each.at_s <= self._handover_s
        }
        if last is not None and last.thread in fresh:
            return last.thread
        elsewhere = [
            thread
            for thread, speaker in fresh.items()
            if speaker != device and self._person_of.get(speaker, "") == person
        ]
        if len(elsewhere) == 1:
            return elsewhere[0]
        if last is None or device not in speakers:
            return self._new(device)
        return last.thread

    def spoke(self, device: DeviceId, thread: str, now_s: float) -> None:
        """Note a turn at a device in the conversation that `thread` named."""
        if self._mode != "device" or _writes(device):
            return
        if device not in self._last and len(self._last) >= MOST_DEVICES:
            forgotten = next(iter(self._last))
            del self._last[forgotten]
            self._begun.pop(forgotten, None)
        if thread == self._new(device):
            self._begun[device] = self._begun.get(device, 0) + 1
        self._last.pop(device, None)
        self._last[device] = _Last(thread, now_s)
        self.changes += 1

    def forget(self, thread: str | None = None) -> None:
        """Forget who spoke in a conversation, None: in any."""
        self._last = {
            device: each for device, each in self._last.items() if thread not in (None, each.thread)
        }
        self.changes += 1

    # ------------------------------------------------------------ over a restart

    def export(self, now_s: float, now_utc: datetime) -> dict[str, Any]:
        """All of it in JSON's types, with times of the calendar."""
        return {
            "last": [
                [device, each.thread, now_utc.timestamp() - (now_s - each.at_s)]
                for device, each in self._last.items()
            ],
            "begun": dict(self._begun),
        }

    def restore(self, kept: object, now_s: float, now_utc: datetime) -> None:
        """Take up what `export` gave; what is not of its shape is left out.

        A time that is still to come was written by another clock: that turn is long ago.
        """
        if not isinstance(kept, dict):
            return
        last, begun = kept.get("last"), kept.get("begun")
        restored: dict[DeviceId, _Last] = {}
        for row in (last if isinstance(last, list) else [])[-MOST_DEVICES:]:
            match row:
                case [str(device), str(thread), int() | float() as utc] if _fits(device, thread):
                    ago_s = now_utc.timestamp() - utc
                    at_s = now_s - (ago_s if ago_s >= 0 else self._handover_s + 1)
                    restored[DeviceId(device)] = _Last(thread, at_s)
        self._last = {d: each for d, each in restored.items() if d not in self._last} | self._last
        for device, number in (begun if isinstance(begun, dict) else {}).items():
            if isinstance(number, int) and device in self._last:
                own = DeviceId(device)
                self._begun[own] = max(number, self._begun.get(own, 0))

    # ------------------------------------------------------------

    def _speakers(self) -> dict[DeviceId, _Last]:
        """The last turn of each conversation, by the device where it was."""
        by_thread = {each.thread: (device, each) for device, each in self._last.items()}
        return dict(by_thread.values())

    def _new(self, device: DeviceId) -> str:
        """The next conversation that this device may begin; no id is given twice."""
        number = self._begun.get(device, 0)
        return f"device:{device}" if number == 0 else f"device:{device}:{number + 1}"


def _writes(device: str) -> bool:
    return device.startswith(WRITING)


def _fits(device: str, thread: str) -> bool:
    return bool(device) and len(device) <= LONGEST_ID and 0 < len(thread) <= 2 * LONGEST_ID

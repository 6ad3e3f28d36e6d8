"""What the routes of the microphones ask, answered."""

from collections.abc import Callable, Collection
from difflib import get_close_matches

import anyio

from parlour.app.calibrating import WORDS, State
from parlour.app.calibrating import Collection as Measuring
from parlour.app.satellites import Hearing, Satellites
from parlour.errors import InputError
from parlour.gateways.satellites import Change, Record, SatelliteCalls, WrongRoom
from parlour.ids import DeviceId
from parlour.wake.calibration import Calibration
from parlour.wake.rules import RoundId

MOST_NEAR = 3  # names in an error


class Calls:
    """Devices are named by id or name, as people spell them."""

    def __init__(
        self,
        satellites: Satellites,
        *,
        connected: Callable[[], Collection[DeviceId]],
        limited: Callable[[], Collection[DeviceId]],
        spell: Callable[[str], str] = lambda area: area,
    ) -> None:
        """`spell`: an area as the house spells it."""
        self._satellites = satellites
        self._connected = connected
        self._limited = limited
        self._spell = spell

    def routes(self) -> SatelliteCalls:
        return SatelliteCalls(
            self.devices,
            self.device,
            self.change,
            self.calibrate,
            self.progress,
            self.cancel,
            self.wrong_room,
            lambda device, model: self._satellites.told_model(DeviceId(device), model),
        )

    def devices(self) -> list[Record]:
        calibration = self._satellites.calibration()
        return [self._record(device, calibration) for device in self._satellites.known]

    def device(self, asked: str) -> Record:
        device = self._find(asked)
        hearings = [_heard(one) for one in self._satellites.hearings(device)]
        return {**self._record(device), "wakes": hearings}

    def change(self, asked: str, change: Change) -> Record:
        device = self._find(asked)
        if change.area is not None:
            change = change.model_copy(update={"area": self._spell(change.area)})
        self._satellites.decide(device, change)
        return self._record(device)

    # ------------------------------------------------------------ the wizard

    def calibrate(self, asked: str) -> Record:
        device, now_s = self._find(asked), anyio.current_time()
        running = self._satellites.collection
        is_busy = running is not None and running.state(now_s) is State.COLLECTING
        if running is not None and is_busy and running.device != device:
            raise InputError(f"{self._called(running.device)} is being calibrated; one at a time")
        kept = self._satellites.kept(device)
        if self._satellites.is_muted(device):
            raise InputError(f"{self._called(device)} is muted")
        is_away = device not in self._connected()
        if is_away and (kept.seen is None or kept.is_persistent):
            raise InputError(f"{self._called(device)} is not connected")
        self._satellites.collection = Measuring(device, now_s)
        return self.progress(asked)

    def progress(self, asked: str) -> Record:
        device, now_s = self._find(asked), anyio.current_time()
        running = self._running(device)
        calibration = self._satellites.calibration()
        is_done = running.state(now_s) is State.DONE
        return {
            "device": device,
            "state": running.state(now_s),
            "words": len(running.levels_dbfs),
            "wanted": WORDS,
            "levels_dbfs": [round(dbfs, 1) for dbfs in running.levels_dbfs],
            "left_s": round(running.left_s(now_s), 1),
            "trouble": running.trouble(now_s),
            "level_dbfs": running.level_dbfs,
            "gain_db": round(calibration.gain_db(device), 1) if is_done else None,
        }

    def cancel(self, asked: str) -> Record:
        running = self._running(self._find(asked))
        running.is_cancelled = True
        return self.progress(asked)

    def _running(self, device: DeviceId) -> Measuring:
        running = self._satellites.collection
        if running is None or running.device != device:
            raise InputError(f"{self._called(device)} is not being calibrated")
        return running

    # ------------------------------------------------------------ the wrong room

    def wrong_room(self, said: WrongRoom) -> Record:
        right = self._find(said.right)
        wrong, round_id = (
            self._last_wrong(right) if said.wrong is None else (self._find(said.wrong), None)
        )
        if wrong == right:
            raise InputError(f"{self._called(right)} is both the right one and the wrong one")
        self._satellites.corrected(wrong, right)
        return {
            "round": round_id,
            "right": self._record(right),
            "wrong": self._record(wrong),
        }

    def _last_wrong(self, right: DeviceId) -> tuple[DeviceId, RoundId]:
        """Who answered the last wake word, which the right one must have heard."""
        last = self._satellites.last_winner
        if last is None:
            raise InputError("no wake word was heard since the server started: name both devices")
        winner, answered = last
        if winner == right:
            raise InputError(f"{self._called(right)} did answer the last wake word")
        if all(one.round_id != answered.round_id for one in self._satellites.hearings(right)):
            raise InputError(
                f"{self._called(right)} did not hear the last wake word, which"
                f" {self._called(winner)} answered: its gain is not what is wrong"
            )
        return winner, answered.round_id

    # ------------------------------------------------------------ records

    def _find(self, asked: str) -> DeviceId:
        known = self._satellites.known
        names = {d: self._satellites.value(d, "name") for d in known}
        if (own := DeviceId(asked)) in known:
            return own
        found = [d for d in known if _key(asked) in (_key(d), _key(names[d] or ""))]
        if len(found) == 1:
            return found[0]
        if found:
            raise InputError(f"{asked} may be {' or '.join(found)}: use the id")
        if not known:
            raise InputError(f"there is no device {asked}: none was ever connected")
        there_is = {_key(name): name for d in known for name in (d, names[d]) if name}
        near = [there_is[key] for key in get_close_matches(_key(asked), there_is, MOST_NEAR, 0.5)]
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise InputError(f"there is no device {asked}{hint}")

    def _called(self, device: DeviceId) -> str:
        return str(self._satellites.value(device, "name") or device)

    def _record(self, device: DeviceId, calibration: Calibration | None = None) -> Record:
        satellites = self._satellites
        kept, calibration = satellites.kept(device), calibration or satellites.calibration()
        wakes = satellites.hearings(device)
        level_dbfs = satellites.last_level_dbfs(device)
        last = _heard(wakes[-1], level_dbfs) if wakes else None
        return {
            "id": device,
            "name": satellites.value(device, "name"),
            "area": satellites.place(device).area,
            "group": satellites.group_now(device),
            "person": satellites.person(device),
            "connected": device in self._connected(),
            "persistent": kept.is_persistent,
            "seen": kept.seen.isoformat(timespec="seconds") if kept.seen else None,
            "muted": satellites.is_muted(device),
            "model": satellites.model(device) or None,
            "gain_db": {
                "total": round(calibration.gain_db(device), 2),
                "model": calibration.model_db.get(device, 0.0),
                "measured": _rounded(calibration.measured_db.get(device)),
                "correction": calibration.corrections_db.get(device, 0.0),
            },
            "floor_dbfs": calibration.floors_dbfs.get(device),
            "last_wake": last,
            "limited": device in self._limited(),
            "decided": kept.decided.model_dump(exclude_none=True),
        }


def _heard(one: Hearing, level_dbfs: float | None = None) -> Record:
    known_dbfs = one.level_dbfs if one.level_dbfs is not None else level_dbfs
    return {
        "at": one.at.isoformat(timespec="seconds"),
        "round": one.round_id,
        "level_dbfs": _rounded(known_dbfs),
        "won": one.won,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _key(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").split())

"""The microphones of the house: what is configured, what was decided since, and what they do."""

import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, assert_never

import anyio
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from parlour.app.calibrating import Collection, State
from parlour.app.sections import Config, Satellite
from parlour.gateways.satellites import Change
from parlour.home.store import Store
from parlour.ids import DeviceId
from parlour.ports import Place
from parlour.wake.calibration import MOST_CORRECTION_DB, Calibration
from parlour.wake.claim import HOME, LEAST_DBFS, MOST_DBFS, believable_dbfs
from parlour.wake.rules import Lost, RoundId, TakenOver, Verdict, Won

log = logging.getLogger(__name__)

MOST_VERDICTS = 50  # of one device, in memory
MOST_KNOWN = 256  # devices of which something is kept
FORGET = timedelta(days=30)  # a device of which nothing was decided

# How much louder a kind of hardware hears than the typical one, in dB, by its name in lower case.
# Reference is a bare INMP441: -26 dBFS for 94 dB SPL (InvenSense, DS-INMP441-00). Boards with a codec
# have no entry: their firmware sets the gain, and nobody has measured one for us. They count as 0.
MODELS_DB: Mapping[str, float] = {"inmp441": 0.0}

NOTHING = Satellite()


class Kept(BaseModel):
    """What outlives a restart."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    decided: Change = Change()
    level_dbfs: Annotated[float, Field(ge=LEAST_DBFS, le=MOST_DBFS)] | None = None
    correction_db: Annotated[float, Field(ge=-MOST_CORRECTION_DB, le=MOST_CORRECTION_DB)] = 0.0
    model: Annotated[str, Field(max_length=60)] = ""  # as the board says
    seen: AwareDatetime | None = None
    is_persistent: bool = True  # it stays connected while it is idle

    @property
    def is_decided(self) -> bool:
        has_gain = self.level_dbfs is not None or self.correction_db != 0
        return has_gain or bool(self.decided.model_dump(exclude_none=True))


UNKNOWN = Kept()


@dataclass(frozen=True, slots=True)
class Hearing:
    """What became of a wake word that a device heard."""

    round_id: RoundId
    at: datetime
    level_dbfs: float | None
    won: bool


class Satellites:
    """One for the process. Satisfies `gateways.device.Microphones`. `changed` is called after every
    decision that counts for who answers, where devices stand, and who is listened to."""

    def __init__(self, config: Config, store: Store) -> None:
        self._configured = {DeviceId(device): s for device, s in config.satellites.items()}
        self._store = store
        self._kept: dict[DeviceId, Kept] = {}
        self._groups: dict[DeviceId, str] = {}  # as devices told last
        self._levels: dict[DeviceId, float | None] = {}  # of their last wake words
        self._heard: dict[DeviceId, deque[Hearing]] = {}
        self.collection: Collection | None = None  # the last one
        self.changed: Callable[[], None] = lambda: None

    async def load(self) -> None:
        """Take up what was decided and seen before. Raises HomeError."""
        now = datetime.now(UTC)
        for id_, said in (await self._store.load_satellites()).items():
            try:
                kept = Kept.model_validate(said)
            except ValidationError:
                log.warning("what was decided about %s cannot be used", id_)
                continue
            if not kept.is_decided and (kept.seen is None or now - kept.seen > FORGET):
                self._store.save_satellite(id_, {})
            else:
                self._kept[DeviceId(id_)] = kept
        self.changed()

    # ------------------------------------------------------------ what counts

    @property
    def known(self) -> list[DeviceId]:
        """All that are configured or were seen, in the order of their ids."""
        return sorted({*self._configured, *self._kept})

    @property
    def places(self) -> Mapping[DeviceId, tuple[str | None, str | None]]:
        """Area and name of all that were given any."""
        given = {d for d, kept in self._kept.items() if kept.decided.area or kept.decided.name}
        return {
            device: (self.value(device, "area"), self.value(device, "name"))
            for device in sorted({*self._configured, *given})
        }

    def place(self, device: DeviceId) -> Place:
        return Place(device, self.value(device, "area"))

    def group(self, device: DeviceId, told: str) -> str:
        """The group that was chosen here wins; else the device's own word."""
        if device in self._kept:
            self._groups[device] = told
        return self.value(device, "group") or told or HOME

    def group_now(self, device: DeviceId) -> str:
        return self.value(device, "group") or self._groups.get(device) or HOME

    def is_muted(self, device: DeviceId) -> bool:
        return bool(self.value(device, "mute"))

    def person(self, device: DeviceId) -> str | None:
        return self._configured.get(device, NOTHING).person

    def model(self, device: DeviceId) -> str:
        return self.value(device, "model") or self.kept(device).model

    def calibration(self) -> Calibration:
        """How much louder each device hears, and below which level it claims nothing."""
        known, kept = self.known, self._kept
        floors = {device: self.value(device, "floor_dbfs") for device in known}
        before = Calibration(
            model_db={device: self._model_db(device) for device in known},
            floors_dbfs={device: dbfs for device, dbfs in floors.items() if dbfs is not None},
        )
        levels = {d: one.level_dbfs for d, one in kept.items() if one.level_dbfs is not None}
        corrections = {d: one.correction_db for d, one in kept.items() if one.correction_db}
        return replace(before.measured(levels), corrections_db=corrections)

    def kept(self, device: DeviceId) -> Kept:
        return self._kept.get(device, UNKNOWN)

    def value(self, device: DeviceId, key: str) -> Any:
        """What was decided, else what is configured."""
        decided = getattr(self.kept(device).decided, key)
        if decided is not None:
            return decided
        return getattr(self._configured.get(device, NOTHING), key)

    def _model_db(self, device: DeviceId) -> float:
        told_db = self.value(device, "gain_db")
        return float(told_db) if told_db is not None else MODELS_DB.get(
            self.model(device).lower(), 0.0
        )  # fmt: skip

    # ------------------------------------------------------------ what is decided

    def decide(self, device: DeviceId, change: Change) -> None:
        """What is null goes back to the configuration; a gain, also null, ends what was measured."""
        said = change.model_dump(exclude_unset=True)
        before = self.kept(device).decided.model_dump(exclude_none=True)
        after = {key: value for key, value in {**before, **said}.items() if value is not None}
        fresh: dict[str, object] = {"decided": Change.model_validate(after)}
        if "gain_db" in said:
            fresh |= {"level_dbfs": None, "correction_db": 0.0}
        self._keep(device, **fresh)
        self.changed()

    def measured(self, device: DeviceId, level_dbfs: float) -> None:
        """What the device measures of a voice at one metre; earlier corrections were for less."""
        self._keep(device, level_dbfs=level_dbfs, correction_db=0.0)
        self.changed()

    def corrected(self, wrong: DeviceId, right: DeviceId) -> None:
        """After the user said that `right` should have answered instead of `wrong`."""
        corrections = self.calibration().corrected(wrong, right).corrections_db
        for device in (wrong, right):
            self._keep(device, correction_db=corrections.get(device, 0.0))
        self.changed()

    # ------------------------------------------------------------ what devices do

    def joined(self, device: DeviceId, *, is_persistent: bool) -> None:
        self._keep(device, seen=datetime.now(UTC), is_persistent=is_persistent)

    def left(self, device: DeviceId) -> None:
        self._keep(device, seen=datetime.now(UTC))

    def told_model(self, device: DeviceId, model: str) -> None:
        """What the board says it is."""
        if model and device and self.kept(device).model != model:
            seen = self.kept(device).seen
            # Who asks where to connect and never stayed is stock firmware, until its hello says more.
            stays = self.kept(device).is_persistent if seen else False
            self._keep(device, model=model, seen=datetime.now(UTC), is_persistent=stays)
            self.changed()

    def claimed(self, device: DeviceId, level_dbfs: float | None) -> bool:
        """It heard a wake word; True: it was said for a measurement, and wants no answer."""
        level_dbfs, now_s = believable_dbfs(level_dbfs), anyio.current_time()
        if device in self._kept:
            self._levels[device] = level_dbfs
        collection = self.collection
        if collection is None or collection.device != device:
            return False
        before = collection.state(now_s)
        collection.take(level_dbfs, now_s)
        if before is not collection.state(now_s) and collection.level_dbfs is not None:
            self.measured(device, collection.level_dbfs)
        return level_dbfs is not None and before is State.COLLECTING

    def observe(self, verdict: Verdict) -> None:
        """Keep what became of a wake word."""
        match verdict:
            case Won(device=device, round_id=round_id):
                self.heard(device, round_id, self._levels.get(device), won=True)
            case Lost(device=device, round_id=round_id):
                self.heard(device, round_id, self._levels.get(device), won=False)
            case TakenOver(loser=loser, winner=winner, round_id=round_id):
                self.heard(loser, round_id, self._levels.get(loser), won=False)
                self.heard(winner, round_id, self._levels.get(winner), won=True)
            case _:
                assert_never(verdict)

    def heard(
        self, device: DeviceId, round_id: RoundId, level_dbfs: float | None, won: bool
    ) -> None:
        """Keep a verdict; a later one of the same round replaces it."""
        if device not in self._kept:
            return
        hearings = self._heard.setdefault(device, deque(maxlen=MOST_VERDICTS))
        if hearings and hearings[-1].round_id == round_id:
            hearings.pop()
        hearings.append(Hearing(round_id, datetime.now(UTC), level_dbfs, won))

    def hearings(self, device: DeviceId) -> list[Hearing]:
        """The last wake words that it heard, the oldest first."""
        return list(self._heard.get(device, ()))

    def last_level_dbfs(self, device: DeviceId) -> float | None:
        return self._levels.get(device)

    @property
    def last_winner(self) -> tuple[DeviceId, Hearing] | None:
        """Who answered the last wake word of the house."""
        won = [(one.at, d, one) for d, ones in self._heard.items() for one in ones if one.won]
        return max(won, key=lambda each: each[0])[1:] if won else None

    # ------------------------------------------------------------ what is kept

    def _keep(self, device: DeviceId, **fresh: object) -> None:
        if device.startswith("unnamed-") and device not in self._configured:
            return  # another id at each connection
        is_new = device not in self._kept and device not in self._configured
        if is_new and len(self._kept) >= MOST_KNOWN and not self._make_room():
            return
        kept = self.kept(device).model_copy(update=fresh)
        self._kept[device] = kept
        self._store.save_satellite(
            device, kept.model_dump(mode="json", exclude_unset=True, exclude_none=True)
        )

    def _make_room(self) -> bool:
        """Forget the device that was not seen for longest, of those without a decision."""
        undecided = [
            (kept.seen.timestamp() if kept.seen else 0.0, device)
            for device, kept in self._kept.items()
            if not kept.is_decided
        ]
        if not undecided:
            return False
        _, device = min(undecided)
        del self._kept[device]
        self._groups.pop(device, None)
        self._levels.pop(device, None)
        self._heard.pop(device, None)
        self._store.save_satellite(device, {})
        return True

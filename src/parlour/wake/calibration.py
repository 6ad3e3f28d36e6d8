"""How much louder a device hears than others do: of its model, of a measurement, of corrections."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from statistics import median

from parlour.ids import DeviceId

MOST_GAIN_DB = 30.0
CORRECTION_DB = 1.0  # "wrong room": so much for each of the two devices
MOST_CORRECTION_DB = 6.0  # so that a series of jokes silences no device


@dataclass(frozen=True, slots=True)
class Calibration:
    """Gains of devices, in dB against the house's typical one. A value; what changes it is a copy.

    Nothing is learnt from wakes themselves: a device that is always louder may as well be nearer.
    """

    model_db: Mapping[DeviceId, float] = field(default_factory=dict)  # of its kind of hardware
    measured_db: Mapping[DeviceId, float] = field(default_factory=dict)  # replaces the model's
    corrections_db: Mapping[DeviceId, float] = field(default_factory=dict)
    floors_dbfs: Mapping[DeviceId, float] = field(default_factory=dict)  # replace Rules.floor_dbfs

    def gain_db(self, device: DeviceId) -> float:
        """Finite for whatever was configured; 0 for a device of which nothing is known."""
        known_db = self.measured_db.get(device, self.model_db.get(device, 0.0))
        gain_db = known_db + self.corrections_db.get(device, 0.0)
        return _clamped(gain_db, MOST_GAIN_DB)

    def measured(self, levels_dbfs: Mapping[DeviceId, float]) -> "Calibration":
        """With what the devices measured of one sentence, said at the same distance from each.

        The gains of those devices keep the median that their models give them, so that they can
        still be compared with devices that were not measured. NaN is left out.
        """
        levels = {name: dbfs for name, dbfs in levels_dbfs.items() if math.isfinite(dbfs)}
        if not levels:
            return self
        typical = median(dbfs - self.model_db.get(name, 0.0) for name, dbfs in levels.items())
        gains = {name: _clamped(dbfs - typical, MOST_GAIN_DB) for name, dbfs in levels.items()}
        untouched = {
            name: db for name, db in self.corrections_db.items() if name not in levels
        }  # the others were made for the gain that is replaced
        return replace(self, measured_db={**self.measured_db, **gains}, corrections_db=untouched)

    def corrected(self, wrong: DeviceId, right: DeviceId) -> "Calibration":
        """After the user said that `right` should have answered instead of `wrong`."""
        if wrong == right:
            return self
        corrections = dict(self.corrections_db)
        for device, change_db in ((wrong, CORRECTION_DB), (right, -CORRECTION_DB)):
            correction_db = corrections.get(device, 0.0) + change_db
            corrections[device] = _clamped(correction_db, MOST_CORRECTION_DB)
        return replace(self, corrections_db=corrections)


def _clamped(value_db: float, most_db: float) -> float:
    return min(max(value_db, -most_db), most_db) if math.isfinite(value_db) else 0.0

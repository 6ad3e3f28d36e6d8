"""How well a device heard the word, as one number that devices of any gain can be compared by."""

import math

from parlour.wake.claim import LEAST_DBFS, Claim, believable_dbfs

LEAST_SHARE = 0.1  # of the power: what is left at least when the noise is taken away (-10 dB)


def score_db(claim: Claim, gain_db: float) -> float:
    """Level of the word without the room's noise and the device's gain; always finite.

    10 log10(10^(L/10) - 10^(N/10)) - gain. The level, not its distance to the noise: a fridge
    beside the right device must not make it lose. An unknown level gives the least there is.
    """
    gain_db = gain_db if math.isfinite(gain_db) else 0.0
    level_dbfs = believable_dbfs(claim.level_dbfs)
    if level_dbfs is None:
        return LEAST_DBFS
    return level_dbfs + _without_noise_db(level_dbfs, believable_dbfs(claim.noise_dbfs)) - gain_db


def _without_noise_db(level_dbfs: float, noise_dbfs: float | None) -> float:
    if noise_dbfs is None:
        return 0.0
    share_of_noise = 10 ** (min(0.0, noise_dbfs - level_dbfs) / 10)
    return 10 * math.log10(max(LEAST_SHARE, 1 - share_of_noise))

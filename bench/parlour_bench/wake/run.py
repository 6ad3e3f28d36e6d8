"""A run: homes are built once, and each setting lets the same things happen in them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from parlour_bench.wake import homes, ours, render, report, rules, wakes
from parlour_bench.wake.report import Block, Report, Targets
from parlour_bench.wake.rules import Outcome
from parlour_bench.wake.wakes import SETTINGS, Scenes, Setting, Wakes

SHOWN = SETTINGS[1]
OURS, NOT_CALIBRATED, ROUGH = "ours", "ours, not calibrated", "ours, with mishaps"
LATE_MS = 30.0
NEAR = 0.88
RIGHT = {0.0: 0.99, 3.0: 0.98, 6.0: 0.98}  # by the spread of gains


@dataclass(frozen=True, slots=True)
class Size:
    wakes: int = 24_000
    homes: int = 400
    seed: int = 1


def simulate(size: Size, *, is_rendered: bool = False) -> tuple[Report, Sequence[Wakes]]:
    """Returns the wakes of one setting, too, to show some. With `is_rendered` it may raise MissingError:
    somebody has to speak."""
    began_s = time.perf_counter()
    staged = stage(size)
    heard = _rendered(staged, size.seed) if is_rendered else _reckoned(staged, size.seed)
    blocks = [block(setting, heard[setting], extra=not is_rendered) for setting in SETTINGS]
    took_s = time.perf_counter() - began_s
    how = "speech in rendered rooms" if is_rendered else "by formulas"
    return Report(how, len(staged), size.seed, blocks, took_s), heard[SHOWN]


def _reckoned(staged: Sequence[Scenes], seed: int) -> dict[Setting, list[Wakes]]:
    found: dict[Setting, list[Wakes]] = {}
    for setting in SETTINGS:
        rng = np.random.default_rng(seed + 1)  # the same again
        found[setting] = [wakes.hear(scene, setting, rng) for scene in staged]
    return found


def _rendered(staged: Sequence[Scenes], seed: int) -> dict[Setting, list[Wakes]]:
    rng = np.random.default_rng(seed + 1)
    found: dict[Setting, list[Wakes]] = {setting: [] for setting in SETTINGS}
    for scene in staged:
        sounds = render.hear(scene, SETTINGS, rng)
        luck = int(rng.integers(2**32))
        for setting, sound in zip(SETTINGS, sounds, strict=True):
            again = np.random.default_rng(luck)
            found[setting].append(wakes.claims(scene, setting, sound, again))
    return found


def stage(size: Size) -> list[Scenes]:
    rng = np.random.default_rng(size.seed)
    count = min(size.homes, size.wakes)
    shares = np.diff(np.linspace(0, size.wakes, count + 1).astype(int))
    return [wakes.scenes(homes.build(rng), int(share), rng) for share in shares]


def block(setting: Setting, heard: Sequence[Wakes], *, extra: bool = True) -> Block:
    """Every rule on the same wakes. `extra`: ours without calibration and with mishaps, too."""
    chosen: dict[str, tuple[Callable[[Wakes], Outcome], Targets | None]] = {
        name: (rule, None) for name, rule in rules.OTHERS.items()
    }
    right = RIGHT[setting.gain_db]
    chosen[OURS] = ours.calibrated, Targets(right=right, near=NEAR, late_p95_ms=LATE_MS)
    if extra:
        chosen[NOT_CALIBRATED] = ours.not_calibrated, None
        chosen[ROUGH] = ours.in_a_rough_world, Targets()
    return Block(
        report.crowd(setting, heard),
        [
            report.row(name, [report.judge(one, rule(one)) for one in heard], targets)
            for name, (rule, targets) in chosen.items()
        ],
    )

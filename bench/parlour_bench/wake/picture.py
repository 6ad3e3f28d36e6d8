"""A report as a picture: the right room of each rule over the spread of gains, and one wake."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from parlour_bench.wake import ours, rules
from parlour_bench.wake.homes import Door, Home
from parlour_bench.wake.report import Report
from parlour_bench.wake.wakes import Wakes

WIDTH, LEFT, RIGHT = 920, 60, 330
CHART, TITLE, MARGIN = 300, 32, 16
LEAST = 0.4  # share of right rooms at the foot of the chart
METRE = 52.0  # of the plan, at most
LEGEND = 230
DOOR_M = 0.9
INK, FAINT, PALE, BAND = "#333", "#ddd", "#777", "#e7f1ea"
OURS_COLOR, LOST_COLOR, WALL_COLOR = "#2a7d4f", "#9aa3ad", "#444"
LEAF = "#b98a5a"  # of a door
COLORS = ("#c0504d", "#e0b58f", "#d99a63", "#d1783b", "#9b5fa5", "#2f6f9f", OURS_COLOR, "#7fb894")


def draw(report: Report, shown: Sequence[Wakes]) -> str:
    """An SVG, white behind. `shown`: wakes, of which one that tells much is taken."""
    parts: list[str] = []
    top = _chart(parts, report, MARGIN)
    if (found := choose(shown)) is not None:
        top = _plan(parts, *found, top + MARGIN)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top:.0f}" '
        f'width="{WIDTH}" height="{top:.0f}" font-family="sans-serif" font-size="12">'
    )
    return "\n".join(
        [head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>", ""]
    )


def choose(shown: Sequence[Wakes]) -> tuple[Wakes, int] | None:
    """A wake that our rule gets right and the first to arrive gets wrong, in a home of four rooms or
    more, and that many hear; None if there is no such wake."""
    best: tuple[int, Wakes, int] | None = None
    for wakes in shown:
        if len(wakes.home.rooms) < 4:
            continue
        every = np.arange(len(wakes.heard))
        ours_right = wakes.is_here[every, ours.calibrated(wakes).winner]
        first_right = wakes.is_here[every, rules.first_to_arrive(wakes).winner]
        tells = wakes.is_counted & ours_right & ~first_right
        hear = np.where(tells, wakes.heard.sum(axis=1), 0)
        n = int(hear.argmax())
        if hear[n] and (best is None or hear[n] > best[0]):
            best = int(hear[n]), wakes, n
        if best is not None and best[0] >= 5:
            break
    return None if best is None else (best[1], best[2])


def _chart(parts: list[str], report: Report, top: float) -> float:
    settings = [block.crowd.setting for block in report.blocks]
    across = WIDTH - LEFT - RIGHT
    parts.append(_text(LEFT, top + 12, "Wakes that the right room answers", bold=True))
    top += TITLE
    bottom = top + CHART
    for tenth in range(round(LEAST * 10), 11):
        y = _height(tenth / 10, bottom)
        parts.append(_line(LEFT, y, LEFT + across, y, FAINT))
        parts.append(_text(LEFT - 6, y + 4, f"{tenth * 10} %", anchor="end"))
    most_db = max(setting.gain_db for setting in settings) or 1.0
    places = [LEFT + 20 + setting.gain_db / most_db * (across - 40) for setting in settings]
    for x, setting in zip(places, settings, strict=True):
        label = f"{setting.gain_db:.0f} dB, {setting.stalls:.0%} held up"
        parts.append(_text(x, bottom + 16, label, anchor=_anchor(x)))
    parts.append(
        _text(
            LEFT + across / 2,
            bottom + 34,
            "spread of the microphones' gains, and claims that the network holds up",
            anchor="middle",
        )
    )
    _curves(parts, report, places, bottom)
    return bottom + 46


def _curves(parts: list[str], report: Report, places: Sequence[float], bottom: float) -> None:
    rows = [block.rows for block in report.blocks]
    names = [row.rule for row in rows[0] if row.rule != "ours, with mishaps"]
    ends: list[tuple[float, str, str]] = []
    for name, color in zip(names, COLORS, strict=False):
        values = [next(row for row in one if row.rule == name).right for one in rows]
        heights = [_height(value, bottom) for value in values]
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(places, heights, strict=True))
        width = 3.2 if name == "ours" else 1.8
        dashes = ' stroke-dasharray="5 3"' if name == "ours, not calibrated" else ""
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{color}" '
            f'stroke-width="{width}"{dashes}/>'
        )
        parts += [_dot(x, y, width + 0.8, color) for x, y in zip(places, heights, strict=True)]
        ends.append((heights[-1], f"{100 * values[-1]:.1f} %  {name}", color))
    free = -math.inf
    x = places[-1]
    for y, label, color in sorted(ends):
        at = max(y, free + 15)
        parts.append(_line(x + 8, y, x + 34, at, color))
        parts.append(_text(x + 38, at + 4, label, color=color, bold=label.endswith("ours")))
        free = at


@dataclass(frozen=True, slots=True)
class _Paper:
    """Where the plan of a home is drawn."""

    top: float
    metre: float

    def at(self, x_m: float, y_m: float) -> tuple[float, float]:
        return LEFT + x_m * self.metre, self.top + y_m * self.metre


def _plan(parts: list[str], wakes: Wakes, number: int, top: float) -> float:
    home, scenes, outcome = wakes.home, wakes.scenes, ours.calibrated(wakes)
    parts.append(_text(LEFT, top + 12, "One wake: who hears it, and who answers", bold=True))
    right_m = max(room.x + room.width for room in home.rooms)
    paper = _Paper(top + TITLE, min(METRE, (WIDTH - LEFT - LEGEND) / right_m))
    here = int(scenes.room[number])
    for n, room in enumerate(home.rooms):
        x, y = paper.at(room.x, room.y)
        fill = BAND if n == here else "white"
        parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{room.width * paper.metre:.1f}" '
            f'height="{room.depth * paper.metre:.1f}" fill="{fill}" stroke="{WALL_COLOR}" '
            'stroke-width="3"/>'
        )
    for n, door in enumerate(home.doors):
        _door(parts, home, door, paper, is_open=bool(scenes.is_open[number, n]))
    _talker(parts, wakes, number, paper)
    for device in range(len(home.room_of)):
        _device(parts, wakes, number, device, paper, wins=device == outcome.winner[number])
    took = bool(outcome.taken_over[number])
    _legend(parts, paper.at(right_m, 0.0), "answers, by taking over" if took else "answers")
    return paper.at(0.0, max(room.y + room.depth for room in home.rooms))[1] + MARGIN


def _door(parts: list[str], home: Home, door: Door, paper: _Paper, *, is_open: bool) -> None:
    half = DOOR_M / 2 * paper.metre
    x, y = paper.at(door.x, door.y)
    upright = home.rooms[door.first].y == home.rooms[door.second].y
    dx, dy = (0.0, half) if upright else (half, 0.0)
    parts.append(_line(x - dx, y - dy, x + dx, y + dy, "white" if is_open else LEAF, width=5.0))
    if is_open:
        parts.append(_line(x - dx, y - dy, x - dx + dy, y - dy - dx, LEAF, width=3.0))


def _talker(parts: list[str], wakes: Wakes, number: int, paper: _Paper) -> None:
    x, y = paper.at(*(float(value) for value in wakes.scenes.talker_m[number, :2]))
    angle = float(wakes.scenes.facing[number])
    tip_x, tip_y = x + 30 * math.cos(angle), y + 30 * math.sin(angle)
    parts.append(_line(x, y, tip_x, tip_y, INK, width=2.0))
    for side in (2.6, -2.6):
        end_x, end_y = tip_x + 8 * math.cos(angle + side), tip_y + 8 * math.sin(angle + side)
        parts.append(_line(tip_x, tip_y, end_x, end_y, INK, width=2.0))
    parts.append(_dot(x, y, 7, INK))
    told = f"talker, {wakes.scenes.talker_db[number]:.0f} dB"
    parts.append(_text(x, y + (-14 if tip_y > y else 22), told, anchor="middle"))


def _device(
    parts: list[str], wakes: Wakes, number: int, device: int, paper: _Paper, *, wins: bool
) -> None:
    x, y = paper.at(*(float(value) for value in wakes.home.at_m[device, :2]))
    room = wakes.home.rooms[int(wakes.home.room_of[device])]
    is_high = y - paper.at(0.0, room.y)[1] < 36  # no space for words above it
    if not wakes.heard[number, device]:
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="white" stroke="{LOST_COLOR}" '
            'stroke-dasharray="2 2"/>'
        )
        parts.append(_text(x, y + (20 if is_high else -10), "not heard", anchor="middle"))
        return
    color = OURS_COLOR if wins else LOST_COLOR
    parts.append(_dot(x, y, 9 if wins else 6, color))
    if wins:
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="14" fill="none" stroke="{color}" '
            'stroke-width="2"/>'
        )
    level = wakes.level_dbfs[number, device] - wakes.known_db[device]
    at_ms = 1000 * float(wakes.arrives_s[number, device] - wakes.arrives_s[number].min())
    told = "came first" if at_ms == 0 else f"+{at_ms:.0f} ms"
    is_low = paper.at(0.0, room.y + room.depth)[1] - y < 36
    first = y + 26 if is_high else y - 18 - 16 * is_low
    second = first + 16 if is_high or is_low else y + 26
    parts.append(_text(x, first, f"{level:.1f} dBFS", anchor="middle", bold=wins))
    parts.append(_text(x, second, told, anchor="middle", color=PALE))


def _legend(parts: list[str], corner: tuple[float, float], answers: str) -> None:
    x, y = corner[0] + 30, corner[1] + 16
    parts.append(_dot(x, y - 4, 9, OURS_COLOR))
    parts.append(_text(x + 18, y, answers, bold=True))
    parts.append(_dot(x, y + 20, 6, LOST_COLOR))
    parts.append(_text(x + 18, y + 24, "heard it, and keeps quiet"))
    for line, told in enumerate(
        (
            "dBFS: the level of the word,",
            "less the microphone's gain",
            "ms: after the first claim",
            "arrow: where the talker looks",
        )
    ):
        parts.append(_text(x - 6, y + 54 + 18 * line, told, color=PALE))


def _height(share: float, bottom: float) -> float:
    return bottom - (max(share, LEAST) - LEAST) / (1 - LEAST) * CHART


def _anchor(x: float) -> str:
    return "start" if x < LEFT + 60 else "middle"


def _line(x: float, y: float, to_x: float, to_y: float, color: str, width: float = 1.0) -> str:
    return (
        f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{color}" '
        f'stroke-width="{width}"/>'
    )


def _dot(x: float, y: float, radius: float, color: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{color}"/>'


def _text(
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    bold: bool = False,
    color: str = INK,
) -> str:
    """With a seam of white, so that it can be read across a line."""
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{color}"{weight} '
        f'stroke="white" stroke-width="3" paint-order="stroke">'
        f"{escape(text)}</text>"
    )

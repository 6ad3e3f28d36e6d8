"""A report as a picture: where the time goes in the median turn, and how all turns are spread."""

from collections.abc import Mapping, Sequence
from html import escape

from parlour_bench.report import Report, Spread, is_noisy

WIDTH, LEFT, RIGHT = 920, 210, 40
BAR, GAP, TITLE, AXIS = 14, 6, 28, 36
CURVES = 280
COLORS = (
    "#2f6f9f",
    "#d1783b",
    "#4f9d69",
    "#9b5fa5",
    "#b0a03c",
    "#c0504d",
    "#6b7a8f",
    "#3fa7a3",
    "#8c6239",
    "#222222",
)
INK, FAINT = "#333", "#ddd"
SLOWEST_MS = 1500.0  # slower turns lie beyond the right edge of the curves

# What happens between two stamps, as somebody would say it.
SPANS = (
    ("is it a pause?", "speech_end", "eager"),
    ("the words settle", "eager", "stt_final"),
    ("the model thinks", "speculation_start", "llm_first_token"),
    ("its first clause", "llm_first_token", "first_clause"),
    ("the first sound is made", "first_clause", "tts_first"),
    ("patience: is the turn over?", "speech_end", "commit"),
    ("the sound goes out", "ready", "sent_first"),
)


def draw(report: Report) -> str:
    """An SVG, white behind."""
    parts: list[str] = []
    top = 16.0
    quiet_stages = {name: found for name, found in report.stages.items() if not is_noisy(name)}
    ends = [found["sent_first"].p50 for found in quiet_stages.values() if "sent_first" in found]
    longest = max((end for end in ends if end <= SLOWEST_MS), default=SLOWEST_MS) * 1.1
    for name, stages in quiet_stages.items():
        top = _waterfall(parts, name, stages, longest, top)
    quiet = {name: ms for name, ms in report.latencies.items() if not is_noisy(name)}
    top = _curves(parts, quiet, top + 8)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top:.0f}" '
        f'width="{WIDTH}" height="{top:.0f}" font-family="sans-serif" font-size="12">'
    )
    return "\n".join(
        [head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>", ""]
    )


def _waterfall(
    parts: list[str], name: str, stages: Mapping[str, Spread], longest: float, top: float
) -> float:
    """Bars from one median stamp to the next, from the true end of speech on; what lies beyond
    `longest` milliseconds is cut off."""
    at = {stage: found.p50 for stage, found in stages.items()}
    at["speech_end"] = 0.0
    at["ready"] = max(at.get("commit", 0.0), at.get("tts_first", 0.0))
    spans = [
        (color, label, at[begin], at[end])
        for color, (label, begin, end) in zip(COLORS, SPANS, strict=False)
        if begin in at and end in at and at[end] - at[begin] >= 1.0
    ]
    if not spans:
        return top
    scale = (WIDTH - LEFT - RIGHT) / longest
    n = max(found.n for found in stages.values())
    parts.append(_text(LEFT, top + 14, f"{name}: the median of {n} turns, ms", bold=True))
    y = top + TITLE
    _axis(parts, y + len(spans) * (BAR + GAP), scale, longest, len(spans) * (BAR + GAP))
    for color, label, begin, end in spans:
        x = LEFT + min(begin, longest) * scale
        width = max(1.0, (min(end, longest) - min(begin, longest)) * scale)
        parts.append(_text(LEFT - 8, y + 11, label, anchor="end"))
        parts.append(_box(x, y, width, BAR, color))
        parts.append(_text(x + width + 4, y + 11, f"{end - begin:.0f}"))
        y += BAR + GAP
    return y + AXIS


def _curves(parts: list[str], latencies: Mapping[str, Sequence[float]], top: float) -> float:
    """The share of turns answered within a time, one curve for each class."""
    shown = {name: sorted(values) for name, values in latencies.items() if len(values) > 1}
    if not shown:
        return top
    scale = (WIDTH - LEFT - RIGHT) / SLOWEST_MS
    parts.append(_text(LEFT, top + 14, "Share of turns answered within so many ms", bold=True))
    top += TITLE
    bottom = top + max(CURVES, 20 * len(shown))
    for share in (0.0, 0.5, 0.95, 1.0):
        y = bottom - share * CURVES
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{FAINT}"/>'
        )
        parts.append(_text(WIDTH - RIGHT + 4, y + 4, f"{share:.0%}"))
    _axis(parts, bottom, scale, SLOWEST_MS, CURVES)
    for n, (name, values) in enumerate(shown.items()):
        color = COLORS[n % len(COLORS)]
        dashes = ' stroke-dasharray="5 3"' if n >= len(COLORS) else ""
        parts.append(
            f'<polyline points="{_steps(values, scale, bottom)}" fill="none" '
            f'stroke="{color}" stroke-width="1.6"{dashes}/>'
        )
        parts.append(_box(8, top + 20 * n, 12, 12, color))
        parts.append(_text(26, top + 20 * n + 10, name))
    return bottom + AXIS


def _steps(values: Sequence[float], scale: float, bottom: float) -> str:
    points = [f"{LEFT},{bottom:.1f}"]
    for k, ms in enumerate(values):
        if ms > SLOWEST_MS:
            break
        x = LEFT + max(0.0, ms) * scale
        points.append(f"{x:.1f},{bottom - k / len(values) * CURVES:.1f}")
        points.append(f"{x:.1f},{bottom - (k + 1) / len(values) * CURVES:.1f}")
    return " ".join(points)


def _axis(parts: list[str], y: float, scale: float, longest: float, height: float) -> None:
    steps = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
    step = next((step for step in steps if longest / step <= 12), 10_000)
    for n in range(int(longest // step) + 1):
        x = LEFT + n * step * scale
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y - height:.1f}" y2="{y + 3:.1f}" '
            f'stroke="{FAINT}"/>'
        )
        parts.append(_text(x, y + 16, f"{n * step}", anchor="middle"))


def _box(x: float, y: float, width: float, height: float, color: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height}" fill="{color}"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start", bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{INK}"{weight}>'
        f"{escape(text)}</text>"
    )

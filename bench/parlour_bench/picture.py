"""A report as a picture: where the time goes in the median turn, and how all turns are spread."""

from collections.abc import Mapping, Sequence
from html import escape

from parlour_bench.report import Report, Spread

WIDTH, LEFT, RIGHT = 920, 210, 30
BAR, GAP, TITLE, AXIS = 16, 8, 44, 34
CURVES = 260
COLORS = ("#2f6f9f", "#d1783b", "#4f9d69", "#9b5fa5", "#b0a03c", "#c0504d", "#6b7a8f")
INK, FAINT = "#333", "#ddd"
SLOWEST_MS = 1500.0  # slower turns lie beyond the right edge of the curves

# What happens between two stamps, as somebody would say it.
SPANS = (
    ("is it a pause?", "speech_end", "eager"),
    ("words settle", "eager", "stt_final"),
    ("the model thinks", "speculation_start", "llm_first_token"),
    ("its first clause", "llm_first_token", "first_clause"),
    ("first sound is made", "first_clause", "tts_first"),
    ("patience: the turn is taken", "speech_end", "commit"),
    ("sound goes out", "commit", "sent_first"),
)


def draw(report: Report) -> str:
    """An SVG, white behind."""
    parts: list[str] = []
    top = 20.0
    for name, stages in report.waterfalls.items():
        top = _waterfall(parts, name, stages, top)
    top = _curves(parts, report.latencies, top + 10)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top:.0f}" '
        f'font-family="sans-serif" font-size="12">'
    )
    return "\n".join(
        [head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>", ""]
    )


def _waterfall(parts: list[str], name: str, stages: Mapping[str, Spread], top: float) -> float:
    """Bars from one median stamp to the next, from the true end of speech on."""
    at = {stage: found.p50 for stage, found in stages.items()}
    at["speech_end"] = 0.0
    spans = [
        (label, at[begin], at[end])
        for label, begin, end in SPANS
        if begin in at and end in at and at[end] - at[begin] >= 1.0
    ]
    if not spans:
        return top
    longest = max(end for _, _, end in spans)
    scale = (WIDTH - LEFT - RIGHT) / max(100.0, longest * 1.12)
    parts.append(_text(LEFT, top + 14, f"{name}: where the time goes (median turn)", bold=True))
    y = top + TITLE - 16
    for n, (label, begin, end) in enumerate(spans):
        x, width = LEFT + begin * scale, max(1.0, (end - begin) * scale)
        parts.append(_text(LEFT - 8, y + 12, label, anchor="end"))
        parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{BAR}" '
            f'fill="{COLORS[n % len(COLORS)]}"/>'
        )
        parts.append(_text(x + width + 4, y + 12, f"{end - begin:.0f} ms"))
        y += BAR + GAP
    _axis(parts, y, scale, longest * 1.12, y - top - TITLE + 16)
    return y + AXIS


def _curves(parts: list[str], latencies: Mapping[str, Sequence[float]], top: float) -> float:
    """The share of turns answered within a time, one curve for each class."""
    shown = {name: sorted(values) for name, values in latencies.items() if len(values) > 1}
    if not shown:
        return top
    scale = (WIDTH - LEFT - RIGHT) / SLOWEST_MS
    parts.append(_text(LEFT, top + 14, "Share of turns answered within so many ms", bold=True))
    bottom = top + TITLE + CURVES
    for share in (0.0, 0.5, 0.95, 1.0):
        y = bottom - share * CURVES
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="{FAINT}"/>')
        parts.append(_text(LEFT - 8, y + 4, f"{share:.0%}", anchor="end"))
    for n, (name, values) in enumerate(shown.items()):
        points = [f"{LEFT},{bottom}"]
        for k, ms in enumerate(values):
            x = LEFT + min(ms, SLOWEST_MS) * scale
            points.append(f"{x:.1f},{bottom - k / len(values) * CURVES:.1f}")
            points.append(f"{x:.1f},{bottom - (k + 1) / len(values) * CURVES:.1f}")
        color = COLORS[n % len(COLORS)]
        parts.append(
            f'<polyline points="{" ".join(points)}" fill="none" stroke="{color}" stroke-width="2"/>'
        )
        parts.append(
            f'<rect x="8" y="{top + TITLE + 20 * n}" width="12" height="12" fill="{color}"/>'
        )
        parts.append(_text(26, top + TITLE + 20 * n + 10, name))
    _axis(parts, bottom, scale, SLOWEST_MS, CURVES)
    return bottom + AXIS + 10


def _axis(parts: list[str], y: float, scale: float, longest: float, height: float) -> None:
    step = next(s for s in (10, 20, 50, 100, 200, 500, 1000) if longest / s <= 12)
    for n in range(int(longest // step) + 1):
        x = LEFT + n * step * scale
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y - height:.1f}" y2="{y + 4:.1f}" '
            f'stroke="{FAINT}" stroke-width="0.5"/>'
        )
        parts.append(_text(x, y + 18, f"{n * step}", anchor="middle"))


def _text(x: float, y: float, text: str, *, anchor: str = "start", bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{INK}"{weight}>'
        f"{escape(text)}</text>"
    )

"""Colours by name and between the spaces in which lamps speak: RGB, hue and saturation, CIE xy."""

import colorsys

Rgb = tuple[int, int, int]

COLORS: dict[str, Rgb] = {
    "red": (255, 0, 0),
    "orange": (255, 140, 0),
    "amber": (255, 191, 0),
    "yellow": (255, 230, 0),
    "lime": (128, 255, 0),
    "green": (0, 255, 0),
    "turquoise": (64, 224, 208),
    "cyan": (0, 255, 255),
    "sky blue": (80, 180, 255),
    "blue": (0, 0, 255),
    "indigo": (75, 0, 190),
    "violet": (143, 0, 255),
    "purple": (160, 0, 240),
    "magenta": (255, 0, 255),
    "pink": (255, 105, 180),
    "white": (255, 255, 255),
    "warm white": (255, 214, 170),
}


def to_hs(color: Rgb) -> tuple[float, float]:
    """Hue in degrees, saturation in per cent."""
    hue, saturation, _ = colorsys.rgb_to_hsv(*(part / 255 for part in color))
    return hue * 360, saturation * 100


def from_hs(hue: float, saturation: float) -> Rgb:
    clipped = min(1.0, max(0.0, saturation / 100))
    return _to_bytes(*colorsys.hsv_to_rgb(hue % 360 / 360, clipped, 1.0))


def to_xy(color: Rgb) -> tuple[float, float]:
    """CIE 1931 xy of an sRGB colour (D65)."""
    red, green, blue = (_linear(part / 255) for part in color)
    x = 0.4124 * red + 0.3576 * green + 0.1805 * blue
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = 0.0193 * red + 0.1192 * green + 0.9505 * blue
    total = x + y + z
    return (round(x / total, 4), round(y / total, 4)) if total else (0.3127, 0.3290)


def from_xy(x: float, y: float) -> Rgb:
    """The brightest sRGB colour at a point of the CIE diagram, clipped to sRGB's triangle."""
    if y <= 0:
        return (255, 255, 255)
    big_x, big_z = x / y, (1 - x - y) / y
    linear = (
        3.2406 * big_x - 1.5372 - 0.4986 * big_z,
        -0.9689 * big_x + 1.8758 + 0.0415 * big_z,
        0.0557 * big_x - 0.2040 + 1.0570 * big_z,
    )
    highest = max(*linear, 1e-9)
    return _to_bytes(*(_gamma(max(0.0, part / highest)) for part in linear))


def is_alike(one: Rgb, other: Rgb) -> bool:
    """Whether two colours count as the same once a lamp has rounded and scaled them."""
    (hue, saturation), (other_hue, other_saturation) = to_hs(one), to_hs(other)
    turn = abs(hue - other_hue) % 360
    is_pale = max(saturation, other_saturation) < 20
    return is_pale or (min(turn, 360 - turn) <= 15 and abs(saturation - other_saturation) <= 30)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _gamma(part: float) -> float:
    return part * 12.92 if part <= 0.0031308 else float(1.055 * part ** (1 / 2.4) - 0.055)


def _to_bytes(red: float, green: float, blue: float) -> Rgb:
    return round(red * 255), round(green * 255), round(blue * 255)

"""The weather as a tool, from Open-Meteo or any server that answers as it does.

Of an answer only numbers, dates and codes are taken, and the words are ours: so its text may be
trusted, where other requests of the web may not.
"""

import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urlencode

import anyio
import httpx

from parlour.errors import ProviderError, ToolError
from parlour.ports import Arguments, Order, Tool, ToolResult, ToolSpec
from parlour.tools.answers import clean
from parlour.tools.parameters import day as read_day
from parlour.tools.web import Call, exchange, refused

NAME = "weather"
URL = "https://api.open-meteo.com/v1/forecast"
PLACES_URL = "https://geocoding-api.open-meteo.com/v1/search"
DAYS = 7
SHOWN_DAYS = 3  # where no day was asked for
FRESH_S = 300.0  # a forecast is not asked for again so soon
MOST_KEPT = 16
LONGEST_PLACE = 60

_NOW = ("temperature_2m", "weather_code", "wind_speed_10m")
_DAILY = (
    "weather_code",
    "temperature_2m_min",
    "temperature_2m_max",
    "precipitation_sum",
    "precipitation_probability_max",
    "wind_speed_10m_max",
    "sunrise",
    "sunset",
)
# Of the World Meteorological Organization, table 4677, as far as Open-Meteo uses it.
_SKIES = {
    0: "clear", 1: "mostly clear", 2: "partly cloudy", 3: "overcast",
    45: "fog", 48: "freezing fog",
    51: "light drizzle", 53: "drizzle", 55: "heavy drizzle",
    56: "light freezing drizzle", 57: "freezing drizzle",
    61: "light rain", 63: "rain", 65: "heavy rain", 66: "light freezing rain", 67: "freezing rain",
    71: "light snow", 73: "snow", 75: "heavy snow", 77: "snow grains",
    80: "light showers", 81: "showers", 82: "violent showers",
    85: "light snow showers", 86: "snow showers",
    95: "thunderstorm", 96: "thunderstorm with hail", 99: "thunderstorm with heavy hail",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Units:
    temperature: str
    rain: str
    wind: str
    asked: Mapping[str, str]


UNITS = {
    "metric": Units("°C", "mm", "km/h", {}),
    "imperial": Units(
        "°F",
        "inch",
        "mph",
        {"temperature_unit": "fahrenheit", "precipitation_unit": "inch", "wind_speed_unit": "mph"},
    ),
}


@dataclass(frozen=True, slots=True)
class WeatherOptions:
    """`places_url` finds towns by name; None: only the weather at home is known."""

    latitude: float
    longitude: float
    units: str = "metric"
    url: str = URL
    places_url: str | None = PLACES_URL
    deadline_s: float = 5.0


@dataclass(frozen=True, slots=True)
class _Spot:
    latitude: float
    longitude: float
    name: str = ""  # "" is home


def weather_tool(client: httpx.AsyncClient, options: WeatherOptions) -> Tool:
    weather = _Weather(client, options)
    places = {
        "place": {"type": "string", "description": "a town; leave out for home"},
    }
    properties = {
        "day": {"type": "string", "description": "today, tomorrow or a date such as 2026-05-31"},
    } | (places if options.places_url else {})
    spec = ToolSpec(
        NAME,
        f"Weather now and forecast for {DAYS} days.",
        {"type": "object", "properties": properties, "additionalProperties": False},
    )
    # A town is found first: that is a second call.
    return Tool(spec, weather.run, deadline_s=2 * options.deadline_s + 1.0)


class _Weather:
    def __init__(self, client: httpx.AsyncClient, options: WeatherOptions) -> None:
        self._client = client
        self._options = options
        self._units = UNITS[options.units]
        self._forecasts: OrderedDict[_Spot, tuple[float, Mapping[str, object]]] = OrderedDict()

    async def run(self, arguments: Arguments, order: Order) -> ToolResult:
        asked = str(arguments.get("day") or "").strip().lower()
        if asked not in ("", "today", "tomorrow", "now"):
            asked = read_day("day", asked).isoformat()
        place = clean(str(arguments.get("place") or ""), LONGEST_PLACE)
        spot = await self._spot(place, order) if place and self._options.places_url else None
        here = _Spot(self._options.latitude, self._options.longitude)
        forecast = await self._forecast(spot or here)
        return ToolResult(self._text(forecast, asked, spot.name if spot else "at home"))

    async def _spot(self, place: str, order: Order) -> _Spot:
        code = order.utterance.language[:2]
        query = {"name": place, "count": "1", "language": code, "format": "json"}
        found = await self._ask(str(self._options.places_url), query)
        results = found.get("results")
        match results[0] if isinstance(results, list) and results else None:
            case {
                "latitude": int() | float() as north,
                "longitude": int() | float() as east,
                **rest,
            }:
                country = str(rest.get("country_code", ""))
                # Its own name is anybody's to edit: the speaker's word for it does.
                land = f" ({country})" if re.fullmatch("[A-Z]{2}", country) else ""
                return _Spot(north, east, f"in {place}{land}")
            case _:
                raise ToolError("there is no such place; name a larger town nearby")

    async def _forecast(self, spot: _Spot) -> Mapping[str, object]:
        now_s = anyio.current_time()
        kept_s, kept = self._forecasts.get(spot, (-FRESH_S, {}))
        if kept and now_s - kept_s < FRESH_S:
            return kept
        query = {
            "latitude": f"{spot.latitude:.4f}",
            "longitude": f"{spot.longitude:.4f}",
            "current": ",".join(_NOW),
            "daily": ",".join(_DAILY),
            "timezone": "auto",
            "forecast_days": str(DAYS),
            **self._units.asked,
        }
        forecast = await self._ask(self._options.url, query)
        self._forecasts[spot] = (now_s, forecast)
        while len(self._forecasts) > MOST_KEPT:
            self._forecasts.popitem(last=False)
        return forecast

    async def _ask(self, url: str, query: Mapping[str, str]) -> Mapping[str, object]:
        call = Call("GET", f"{url}?{urlencode(query)}", deadline_s=self._options.deadline_s)
        reply = await exchange(self._client, NAME, call)
        if not 200 <= reply.status < 300:
            raise refused(NAME, reply, "weather.url")
        if not isinstance(reply.value, dict):
            raise ProviderError(NAME, "it answers with no forecast")
        return reply.value

    # ---------------------------------------------------------------- in words

    def _text(self, forecast: Mapping[str, object], asked: str, where: str) -> str:
        daily = _mapping(forecast.get("daily"))
        days = [_date(text) for text in _list(daily.get("time"))[:DAYS]]
        if not days or None in days:
            raise ProviderError(NAME, "it answers with no forecast")
        known = [each for each in days if each is not None]
        lines = [self._now(_mapping(forecast.get("current")), where)]
        match asked:
            case "now":
                shown: Sequence[int] = ()
            case "today":
                shown = (0,)
            case "tomorrow":
                shown, lines = (1,), [f"Weather {where}:"]
            case "":
                shown = range(SHOWN_DAYS)
            case _:
                if (day := date.fromisoformat(asked)) not in known:
                    raise ToolError(f"the forecast is from {known[0]} to {known[-1]} only")
                shown, lines = (known.index(day),), [f"Weather {where}:"]
        lines += [self._day(daily, known, at) for at in shown if at < len(known)]
        return "\n".join(filter(None, lines))

    def _now(self, current: Mapping[str, object], where: str) -> str:
        units = self._units
        parts = (
            _amount(current.get("temperature_2m"), units.temperature),
            _sky(current.get("weather_code")),
            _amount(current.get("wind_speed_10m"), units.wind, "wind {}"),
        )
        return f"Now {where}: {', '.join(filter(None, parts)) or 'not known'}"

    def _day(self, daily: Mapping[str, object], days: Sequence[date], at: int) -> str:
        def value(key: str) -> object:
            values = _list(daily.get(key))
            return values[at] if at < len(values) else None

        units, day = self._units, days[at]
        least, most = _number(value("temperature_2m_min")), _number(value("temperature_2m_max"))
        chance = _amount(value("precipitation_probability_max"), "%", " ({} likely)")
        rain = _amount(value("precipitation_sum"), units.rain, digits=1)
        sun = [_clock(value("sunrise")), _clock(value("sunset"))]
        parts = (
            _sky(value("weather_code")),
            None
            if least is None or most is None
            else f"{least:.0f} to {most:.0f} {units.temperature}",
            "no rain" if _number(value("precipitation_sum")) == 0 else f"rain {rain}{chance}",
            _amount(value("wind_speed_10m_max"), units.wind, "wind up to {}"),
            f"sun {sun[0]} to {sun[1]}" if all(sun) else "",
        )
        called = ("today, ", "tomorrow, ")[at] if at < 2 else ""
        return f"{called}{day:%A} {day}: {', '.join(filter(None, parts))}"


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _number(value: object) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 10_000:
        return float(value)
    return None


def _amount(value: object, unit: str, form: str = "{}", digits: int = 0) -> str:
    number = _number(value)
    return "" if number is None else form.format(f"{number:.{digits}f} {unit}")


def _sky(code: object) -> str:
    return _SKIES.get(code, "") if isinstance(code, int) else ""


def _date(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


def _clock(value: object) -> str:
    try:
        return datetime.fromisoformat(str(value)).strftime("%H:%M")
    except ValueError:
        return ""

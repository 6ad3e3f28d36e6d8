"""From the sections `requests` and `weather` to tools over one HTTP client."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from parlour.app.requestsection import Request, Weather
from parlour.ports import Tool
from parlour.tools import pick, templates, weather
from parlour.tools.http_requests import MAY_I, DeclaredRequest, request_tools
from parlour.tools.weather import WeatherOptions, weather_tool
from parlour.tools.web import open_client


@asynccontextmanager
async def open_requests(
    requests: Mapping[str, Request], forecast: Weather | None = None
) -> AsyncIterator[list[Tool]]:
    """A tool for each request, and one for the weather. Leaving hangs up."""
    if not requests and forecast is None:
        yield []
        return
    async with open_client() as client:
        tools = request_tools(client, [declared(name, each) for name, each in requests.items()])
        if forecast is not None:
            tools.append(weather_tool(client, weather_options(forecast)))
        yield tools


def declared(name: str, section: Request) -> DeclaredRequest:
    may_i = {} if section.method == "GET" else MAY_I
    return DeclaredRequest(
        name,
        section.description,
        section.method,
        templates.read_url(section.url.get_secret_value()),
        tuple(each.declared(key) for key, each in section.parameters.items()),
        {key: value.get_secret_value() for key, value in section.headers.items()},
        section.body,
        pick.read(section.pick) if section.pick else (),
        section.risk,
        may_i if section.question is None else section.question,
        section.deadline_s,
    )


def weather_options(section: Weather) -> WeatherOptions:
    theirs = weather.PLACES_URL if section.url is None else None
    return WeatherOptions(
        section.latitude,
        section.longitude,
        section.units,
        section.url or weather.URL,
        section.places_url or theirs,
        section.deadline_s,
    )

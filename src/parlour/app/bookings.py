"""From the section `bookings` to tools over one HTTP client."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import date

from parlour.app.bookingsection import Bookings
from parlour.ports import Tool
from parlour.tools.bookingclient import Business, Shop
from parlour.tools.bookings import booking_tools
from parlour.tools.web import open_client


@asynccontextmanager
async def open_bookings(bookings: Mapping[str, Bookings]) -> AsyncIterator[list[Tool]]:
    """Three tools for all businesses, none where there is no business. Leaving hangs up."""
    if not bookings:
        yield []
        return
    async with open_client() as client:
        yield booking_tools(client, [_business(name, each) for name, each in bookings.items()])


async def check_bookings(name: str, section: Bookings, day: date) -> tuple[int, int]:
    """Ask what can be booked, and for the free times of one of it; returns how many services and
    times there are. Raises ProviderError or ToolError; books nothing."""
    async with open_client() as client:
        shop = Shop(client, _business(name, section))
        services = await shop.services()
        if not services:
            return 0, 0
        free, later = await shop.slots(day, services[0].id)
        return len(services), len(free or later)


def _business(name: str, section: Bookings) -> Business:
    return Business(
        name,
        section.url,
        section.api_key.get_secret_value() if section.api_key else "",
        section.description or "",
        section.trusted,
        section.deadline_s,
    )

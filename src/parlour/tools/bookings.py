"""Bookings at a shop, a doctor's or a restaurant: what is free, to book it, to cancel it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime

import httpx

from parlour.errors import ToolError
from parlour.ports import Arguments, Order, Tool, ToolResult, ToolSpec
from parlour.tools.answers import clean
from parlour.tools.bookingclient import Business, Service, Shop, Slot, TakenError
from parlour.tools.bookingwords import words
from parlour.tools.parameters import day as read_day
from parlour.tools.spokentime import spoken_clock, spoken_when

LONGEST_NAME = 60
MOST_OFFERED = 3  # times that are spoken; more cannot be kept in mind
MOST_LISTED = 10  # bookings and times in a text for a model


def booking_tools(
    client: httpx.AsyncClient,
    businesses: Sequence[Business],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> list[Tool]:
    """Three tools, whatever the number of businesses; with several, each call names one."""
    return _Tools([Shop(client, business) for business in businesses], now).all


class _Tools:
    def __init__(self, shops: Sequence[Shop], now: Callable[[], datetime]) -> None:
        self._shops = {shop.business.name: shop for shop in shops}
        self._now = now

    @property
    def all(self) -> list[Tool]:
        places = ", ".join(
            f"{name.replace('_', ' ')}{f' ({about})' if about else ''}"
            for name, shop in self._shops.items()
            for about in (shop.business.description,)
        )
        trusted = all(shop.business.trusted for shop in self._shops.values())
        deadline_s = 2 * max(shop.business.deadline_s for shop in self._shops.values()) + 1.0
        return [
            Tool(
                self._spec(
                    "booking_slots",
                    f"Free times to book at: {places}.",
                    {"date": "as 2026-05-31", "service": "what for; leave out if not said"},
                    ["date"],
                ),
                self._list,
                deadline_s=deadline_s,
                trusted=trusted,
            ),
            Tool(
                self._spec(
                    "booking_book",
                    "Book a free time.",
                    {"slot": "id from booking_slots", "name": "who comes"},
                    ["slot", "name"],
                ),
                self._book,
                tier=lambda _: 2,
                question=self._ask_to_book,
                deadline_s=deadline_s,
                trusted=trusted,
            ),
            Tool(
                self._spec(
                    "booking_cancel",
                    "Cancel a booking; without an id it lists them.",
                    {"booking": "id of the booking"},
                    [],
                ),
                self._cancel,
                tier=lambda arguments: 2 if arguments.get("booking") else 0,
                question=self._ask_to_cancel,
                deadline_s=deadline_s,
                trusted=trusted,
            ),
        ]

    def _spec(
        self, name: str, description: str, texts: Mapping[str, str], required: Sequence[str]
    ) -> ToolSpec:
        properties: dict[str, object] = {
            key: {"type": "string", "description": text} for key, text in texts.items()
        }
        needed = list(required)
        if len(self._shops) > 1:
            properties["business"] = {"type": "string", "enum": list(self._shops)}
            needed.append("business")
        schema = {"type": "object", "properties": properties, "required": needed}
        return ToolSpec(name, description, schema | {"additionalProperties": False})

    def _shop(self, arguments: Arguments) -> Shop:
        if len(self._shops) == 1:
            return next(iter(self._shops.values()))
        shop = self._shops.get(_text(arguments, "business"))
        if shop is None:
            raise ToolError(f"business must be one of {', '.join(self._shops)}")
        return shop

    # ------------------------------------------------------------ what is free

    async def _list(self, arguments: Arguments, order: Order) -> ToolResult:
        shop = self._shop(arguments)
        day = read_day("date", _text(arguments, "date"))
        services = await shop.services()
        wanted = _text(arguments, "service")
        if not wanted and len(services) > 1:
            return ToolResult(f"Ask which one is wanted: {_named(services)}")
        service = _found(services, wanted)
        slots, later = await shop.slots(day, service.id)
        if slots:
            head = f"Free for {service.name} ({service.minutes} minutes) on {day:%A} {day}:"
            return ToolResult("\n".join([head, *(_line(slot) for slot in slots)]))
        head = f"Nothing is free for {service.name} on {day:%A} {day}."
        if later:
            head += " The next free times:"
        return ToolResult("\n".join([head, *(_line(slot, dated=True) for slot in later)]))

    # ------------------------------------------------------------ booking

    async def _ask_to_book(self, arguments: Arguments, order: Order) -> str:
        shop = self._shop(arguments)
        try:
            slot = await shop.slot(_text(arguments, "slot"))
        except TakenError as taken:
            raise ToolError(_offer(taken.free)) from taken
        name = _who(arguments)
        return self._filled("book", slot, order, name)

    async def _book(self, arguments: Arguments, order: Order) -> ToolResult:
        shop, name = self._shop(arguments), _who(arguments)
        try:
            booked = await shop.book(_text(arguments, "slot"), name, order.key)
        except TakenError as taken:
            return self._instead(taken.free, order)
        text = f"Booked; the booking's id is {booked.id}: {_line(booked, dated=True)}"
        return ToolResult(text, say=self._filled("booked", booked, order, name))

    def _instead(self, free: Sequence[Slot], order: Order) -> ToolResult:
        say, language = words(order.utterance.language), order.utterance.language
        if not free:
            return ToolResult(_offer(free), say=say.all_taken)
        offered = free[:MOST_OFFERED]
        today = self._today(offered[0])
        times = [spoken_when(language, offered[0].start, today)]
        for before, slot in zip(offered, offered[1:], strict=False):
            same_day = before.start.date() == slot.start.date()
            speak = spoken_clock(language, slot.start.time())
            times.append(speak if same_day else spoken_when(language, slot.start, today))
        text = say.taken.format(slots=say.either(times))
        return ToolResult(_offer(free), say=text, asks=True)

    # ------------------------------------------------------------ cancelling

    async def _ask_to_cancel(self, arguments: Arguments, order: Order) -> str:
        booking = _text(arguments, "booking")
        if not booking:
            return ""
        return self._filled("cancel", await self._shop(arguments).booking(booking), order)

    async def _cancel(self, arguments: Arguments, order: Order) -> ToolResult:
        shop, booking = self._shop(arguments), _text(arguments, "booking")
        if not booking:
            known = (await shop.bookings())[:MOST_LISTED]
            head = "Cancel with one of these ids:" if known else "There are no bookings."
            return ToolResult("\n".join([head, *(_line(each, dated=True) for each in known)]))
        try:
            gone = await shop.cancel(booking, order.key)
        except TakenError:
            late = words(order.utterance.language).too_late
            return ToolResult("It is too late to cancel that.", say=late)
        say = self._filled("cancelled", gone, order)
        return ToolResult(f"Cancelled: {_line(gone, dated=True)}", say=say)

    # ------------------------------------------------------------ in words

    def _filled(self, key: str, slot: Slot, order: Order, name: str = "") -> str:
        language = order.utterance.language
        when = spoken_when(language, slot.start, self._today(slot))
        form: str = getattr(words(language), key)
        text = form.format(service=slot.service, when=when, name=name)
        return text[0].upper() + text[1:]

    def _today(self, slot: Slot) -> date:
        """By the calendar of the shop."""
        return self._now().astimezone(slot.start.tzinfo).date()


def _text(arguments: Arguments, key: str) -> str:
    value = arguments.get(key)
    return value.strip() if isinstance(value, str) else ""


def _who(arguments: Arguments) -> str:
    name = clean(_text(arguments, "name"), LONGEST_NAME)
    if not name:
        raise ToolError("name is missing: ask who it is for")
    return name


def _line(slot: Slot, *, dated: bool = False) -> str:
    shown = f"{slot.start:%A %Y-%m-%d %H:%M} {slot.service}" if dated else f"{slot.start:%H:%M}"
    return f"{shown}: {slot.id}"


def _offer(free: Sequence[Slot]) -> str:
    lines = [_line(slot, dated=True) for slot in free[:MOST_LISTED]]
    head = "That time is taken. Offer one of these:" if lines else "That time is taken."
    return "\n".join([head, *lines])


def _named(services: Sequence[Service]) -> str:
    return ", ".join(f"{each.name} ({each.minutes} minutes)" for each in services)


def _found(services: Sequence[Service], wanted: str) -> Service:
    """By its id, its name, or the only one whose name holds what was said, or the other way."""
    if not wanted and len(services) == 1:
        return services[0]
    said = wanted.casefold()
    exact = [each for each in services if said in (each.id.casefold(), each.name.casefold())]
    near = [
        each
        for each in services
        if said and (said in each.name.casefold() or each.name.casefold() in said)
    ]
    for found in (exact, near):
        if len(found) == 1:
            return found[0]
    raise ToolError(f"service must be one of: {_named(services) or 'none, there are no services'}")

"""The tools on calendars in memory."""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import anyio
import pytest

from calendar_files import BERLIN, NOW, Shelf, at, vcalendar, vevent
from parlour.errors import ProviderError, ToolError
from parlour.ids import DeviceId, TurnId
from parlour.ports import Order, Place, Tool, ToolResult, Utterance
from parlour.tools.calendar.events import Reading
from parlour.tools.calendar.tools import Calendars, calendar_tools

DENTIST = vcalendar(
    vevent(
        "DTSTART;TZID=Europe/Berlin:20261124T100000", "DURATION:PT30M", "SUMMARY:Dentist",
        "LOCATION:Main St 5", uid="dentist",
    )
)  # fmt: skip
CLASS = vcalendar(
    vevent(
        "DTSTART;TZID=Europe/Berlin:20261102T090000", "DURATION:PT1H", "SUMMARY:Yoga class",
        "RRULE:FREQ=WEEKLY", uid="class",
    )
)  # fmt: skip
ORDERS = iter(range(10_000))


def order(language: str = "en", key: str = "") -> Order:
    utterance = Utterance(TurnId("t"), "", language, Place(DeviceId("shelf")))
    return Order(utterance, key or f"key-{next(ORDERS)}")


class Home:
    """The tools by name, on shelves."""

    def __init__(self, *shelves: Shelf, read_only: tuple[Shelf, ...] = ()) -> None:
        self.tools: dict[str, Tool] = {
            tool.spec.name: tool
            for tool in calendar_tools(
                Calendars((*shelves, *read_only), shelves, BERLIN, lambda: NOW)
            )
        }

    async def run(
        self, name: str, key: str = "", language: str = "en", **arguments: object
    ) -> ToolResult:
        return await self.tools[f"calendar_{name}"].run(arguments, order(language, key))

    async def ask(self, name: str, language: str = "en", **arguments: object) -> str:
        question = self.tools[f"calendar_{name}"].question
        assert question is not None
        return await question(arguments, order(language))


def shelf(**resources: str) -> Shelf:
    made = Shelf()
    for href, data in resources.items():
        made.put(href, data)
    return made


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    def test_() -> None:
        anyio.run(test)

    test_.__name__ = test.__name__
    return test_


def id_of(result: ToolResult) -> str:
    return result.text.splitlines()[0].partition(" | ")[0]


@run
async def test_what_is_next_is_told_in_order_and_with_ids() -> None:
    home = Home(shelf(a=DENTIST, b=CLASS))
    told = (await home.run("next")).text.splitlines()
    assert [one.partition(" | ")[2] for one in told] == [
        'Mon 23 Nov 09:00-10:00 | "Yoga class" |  | family',
        'Tue 24 Nov 10:00-10:30 | "Dentist" | "Main St 5" | family',
    ]
    assert (await home.run("next", words="DENT")).text == told[1]
    assert (await home.run("next", words="main yoga")).text.startswith('No events with "main yoga"')
    assert (await home.run("next", days=1)).text == "No events from now until Sun 22 Nov."
    assert len((await home.run("next", days=366)).text.splitlines()) == 11


@run
async def test_a_day_is_told_by_its_name_or_date() -> None:
    home = Home(shelf(a=DENTIST, b=CLASS))
    assert "Dentist" in (await home.run("day", date="tuesday")).text
    assert "Dentist" in (await home.run("day", date="2026-11-24")).text
    assert (await home.run("day", date="today")).text == "No events on Sat 21 Nov."


@run
async def test_a_calendar_that_is_silent_is_named_beside_what_the_others_know() -> None:
    broken = replace(shelf(), name="work", broken="the server did not answer within 5 seconds")
    told = (await Home(shelf(a=DENTIST), broken).run("next")).text.splitlines()
    assert told[0] == "(Not read: calendar work: the server did not answer within 5 seconds)"
    assert "Dentist" in told[1]
    with pytest.raises(ProviderError, match="work: the server did not answer"):
        await Home(broken).run("next")


@run
async def test_the_age_of_an_old_copy_is_told() -> None:
    class Old(Shelf):
        async def between(self, start: datetime, end: datetime) -> Reading:
            return replace(await super().between(start, end), age_s=3 * 3600.0)

    told = (await Home(Old("holidays")).run("next")).text
    assert told.startswith("(Calendar holidays does not answer; this copy of it is 3 hours old.)")


@run
async def test_reading_is_harmless_and_untrusted_and_writing_asks() -> None:
    tools = Home(shelf()).tools
    assert {name: (tool.tier({}), tool.trusted, tool.question is not None) for name, tool in tools.items()} == {
        "calendar_next": (0, False, False),
        "calendar_day": (0, False, False),
        "calendar_add": (2, True, True),
        "calendar_move": (2, True, True),
        "calendar_delete": (2, True, True),
    }  # fmt: skip
    assert list(Home(read_only=(shelf(),)).tools) == ["calendar_next", "calendar_day"]
    assert Home().tools == {}


@run
async def test_an_event_is_added_once_for_a_key() -> None:
    kept = shelf()
    home = Home(kept)
    wanted: dict[str, Any] = {"title": "Dentist", "start": "2026-11-24 10:00", "minutes": 30}
    assert await home.ask("add", **wanted) == (
        "Shall I add Dentist on Tuesday the 24th at 10 in the morning?"
    )
    assert kept.resources == {}
    first = await home.run("add", key="same", **wanted)
    second = await home.run("add", key="same", **wanted)
    assert first == second
    assert len(kept.resources) == 1
    assert first.say == "Dentist is in the calendar, on Tuesday the 24th at 10 in the morning."
    assert "Tue 24 Nov 10:00-10:30" in first.text
    await home.run("add", **wanted)
    assert len(kept.resources) == 2


@run
async def test_whole_days_are_added_as_such() -> None:
    home = Home(shelf())
    added = await home.run("add", language="de", title="Reise", start="2026-11-24", minutes=2880)
    assert added.say == "Reise steht am Dienstag, dem 24. November, ganztägig im Kalender."
    assert "Tue 24 Nov to Wed 25 Nov all day" in added.text


@run
async def test_the_question_names_a_conflict_but_not_a_whole_day_or_free_time() -> None:
    free = DENTIST.replace("SUMMARY:Dentist", "SUMMARY:Free\r\nTRANSP:TRANSPARENT")
    day = vcalendar(vevent("DTSTART;VALUE=DATE:20261124", "SUMMARY:Holiday", uid="h"))
    assert (
        await Home(shelf(a=free, b=day)).ask("add", title="X", start="2026-11-24 10:10")
    ).startswith("Shall")
    asked = await Home(shelf(a=DENTIST)).ask("add", title="X", start="2026-11-24 10:10")
    assert asked.startswith("You already have Dentist at that time. Shall I add X ")
    later = await Home(shelf(a=DENTIST)).ask("add", title="X", start="2026-11-24 10:30")
    assert later.startswith("Shall")


@run
async def test_an_event_is_added_where_it_is_wanted() -> None:
    family, work = shelf(), replace(shelf(), name="work")
    home = Home(family, work, read_only=(replace(shelf(), name="holidays"),))
    properties: Any = home.tools["calendar_add"].spec.parameters["properties"]
    assert properties["calendar"]["enum"] == ["family", "work"]
    assert (
        "| work"
        in (await home.run("add", title="X", start="2026-11-24 10:00", calendar="Work")).text
    )
    assert (len(family.resources), len(work.resources)) == (0, 1)
    with pytest.raises(ToolError, match="cannot be written to; those that can: family, work"):
        await home.run("add", title="X", start="2026-11-24 10:00", calendar="holidays")
    with pytest.raises(ToolError, match="no such calendar"):
        await home.run("add", title="X", start="2026-11-24 10:00", calendar="club")
    with pytest.raises(ToolError, match="needs a title"):
        await home.run("add", title=" \n", start="2026-11-24 10:00")
    with pytest.raises(ToolError, match="minutes must be between"):
        await home.run("add", title="X", start="2026-11-24 10:00", minutes=-5)


@run
async def test_an_event_is_moved_by_its_id_in_a_later_turn() -> None:
    home = Home(shelf(a=DENTIST))
    id_ = id_of(await home.run("next"))
    asked = await home.ask("move", event=id_, start="2026-11-25 11:00")
    assert asked == (
        "Dentist is on Tuesday the 24th at 10 in the morning. Shall I move it, so that it is on"
        " Wednesday the 25th at 11 in the morning?"
    )
    done = await home.run("move", event=id_, start="2026-11-25 11:00")
    assert done.say == "Dentist is now on Wednesday the 25th at 11 in the morning."
    assert done.text == f"Done, moved: {id_} | Wed 25 Nov 11:00-11:30 | family"


@run
async def test_another_server_process_finds_an_id_again() -> None:
    kept = shelf(a=DENTIST, b=CLASS)
    id_ = id_of(await Home(kept).run("next", words="dentist"))
    assert "deleted" in (await Home(kept).run("delete", event=id_)).text
    assert list(kept.resources) == ["b"]


@run
async def test_moving_twice_moves_once() -> None:
    kept = shelf(a=DENTIST)
    home = Home(kept)
    for key in ("one", "one", "two"):
        done = await home.run("move", key=key, event="dentist", start="2026-11-25 11:00")
        assert done.say.startswith("Dentist is now on Wednesday")
    assert kept.writes == 2


@run
async def test_deleting_twice_deletes_once() -> None:
    kept = shelf(a=DENTIST, b=CLASS)
    home = Home(kept)
    id_ = id_of(await home.run("next", words="dentist"))
    for _ in range(2):
        assert (await home.run("delete", event=id_)).say == (
            "I have deleted Dentist on Tuesday the 24th at 10 in the morning."
        )
    assert list(kept.resources) == ["b"]
    kept.put("a", DENTIST)  # somebody wanted it after all
    await home.run("delete", event=id_)
    assert list(kept.resources) == ["b"]


@run
async def test_of_a_series_only_one_is_moved_or_deleted() -> None:
    kept = shelf(b=CLASS)
    home = Home(kept)
    asked = await home.ask("delete", event="yoga")
    assert asked.startswith("Yoga class is on Monday the 23rd at 9 in the morning. Only this one,")
    await home.run("delete", event="yoga")
    await home.run("move", event="Yoga class", start="2026-12-01")
    told = (await home.run("next", days=21)).text.splitlines()
    assert [one.split(" | ")[1] for one in told] == [
        "Tue 1 Dec 09:00-10:00",
        "Mon 7 Dec 09:00-10:00",
    ]


@run
async def test_words_that_fit_several_events_are_answered_with_their_ids() -> None:
    other = DENTIST.replace("20261124", "20261203").replace("UID:dentist", "UID:d2")
    home = Home(shelf(a=DENTIST, b=other))
    with pytest.raises(ToolError, match="several events fit") as refused:
        await home.run("delete", event="dentist")
    assert "Dentist" not in str(refused.value)  # which is not the speaker's text
    id_ = str(refused.value).rpartition(", ")[2].partition(" on ")[0]
    assert "Thu 3 Dec" in (await home.run("delete", event=id_)).text


@run
async def test_what_is_not_there_or_not_ours_is_said_plainly() -> None:
    holidays = replace(shelf(a=DENTIST), name="holidays")
    home = Home(shelf(), read_only=(holidays,))
    id_ = id_of(await home.run("next"))
    with pytest.raises(ToolError, match="cannot be changed"):
        await home.run("delete", event=id_)
    with pytest.raises(ToolError, match="no coming event fits"):
        await home.run("delete", event="abcdef")
    with pytest.raises(ToolError, match="say which event"):
        await home.run("move", event="", start="2026-11-25 10:00")


@run
async def test_a_change_after_the_question_is_not_overwritten() -> None:
    kept = shelf(a=DENTIST)
    home = Home(kept)
    for name in ("move", "delete"):
        arguments = {"event": "dentist"} | ({"start": "2026-11-25 11:00"} if name == "move" else {})
        await home.ask(name, **arguments)
        kept.put("a", DENTIST.replace("SUMMARY:Dentist", "SUMMARY:Dentist, upstairs"))
        with pytest.raises(ToolError, match="changed in the meantime"):
            await home.run(name, **arguments)
        assert "upstairs" in kept.resources["a"][0]


@run
async def test_a_moved_event_keeps_its_length_and_a_day_alone_its_hour() -> None:
    night = vcalendar(
        vevent("DTSTART;TZID=Europe/Berlin:20261124T220000", "DURATION:PT6H", "SUMMARY:Shift")
    )
    home = Home(shelf(a=night))
    done = await home.run("move", event="shift", start="2027-03-27")
    assert "Sat 27 Mar 2027 22:00-Sun 28 Mar 2027 05:00" in done.text
    trip = vcalendar(
        vevent("DTSTART;VALUE=DATE:20261124", "DTEND;VALUE=DATE:20261127", "SUMMARY:Trip")
    )
    home = Home(shelf(a=trip))
    assert (
        "Tue 1 Dec to Thu 3 Dec all day"
        in (await home.run("move", event="trip", start="2026-12-01")).text
    )
    assert (
        "Tue 1 Dec 15:00-16:00"
        in (await home.run("move", event="trip", start="2026-12-01 15:00")).text
    )


@run
async def test_events_that_are_running_are_next_and_past_ones_are_not() -> None:
    running = vcalendar(
        vevent("DTSTART:20261121T070000Z", "DURATION:PT3H", "SUMMARY:Brunch", uid="r")
    )
    over = vcalendar(vevent("DTSTART:20261121T060000Z", "DURATION:PT1H", "SUMMARY:Run", uid="o"))
    told = (await Home(shelf(a=running, b=over)).run("next")).text
    assert ("Brunch" in told, "Run" in told) == (True, False)


def test_the_times_of_questions_do_not_depend_on_the_machine() -> None:
    assert NOW.utcoffset() == timedelta(hours=1)
    assert at("2026-11-24").tzinfo is BERLIN

"""Days and times of day as people say them, in nine languages: "on Tuesday, November 24 at 10 in
the morning", "मंगलवार, 24 नवंबर को सुबह 10 बजे"."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time

from babel.dates import get_day_names, get_month_names


@dataclass(frozen=True, slots=True)
class _Words:
    """`day` with {weekday}, {month} and {day}; `clock` on the hour, at one, and with minutes.

    `periods` are the parts of the day and the hours at which each begins; of an hour before the
    first, the last counts. Without any the clock has 24 hours.
    """

    today: str
    tomorrow: str
    day: str
    clock: tuple[str, str, str]
    periods: tuple[tuple[int, str], ...] = ()


_WORDS: Mapping[str, _Words] = {
    "en": _Words(
        "today",
        "tomorrow",
        "on {weekday}, {month} {day}",
        ("at {hour} {period}", "at {hour} {period}", "at {hour}:{minute:02} {period}"),
        ((4, "in the morning"), (12, "in the afternoon"), (18, "in the evening"), (22, "at night")),
    ),
    "de": _Words(
        "heute",
        "morgen",
        "am {weekday}, dem {day}. {month}",
        ("um {hour} Uhr", "um ein Uhr", "um {hour} Uhr {minute}"),
    ),
    "hi": _Words(
        "आज",
        "कल",
        "{weekday}, {day} {month} को",
        ("{period} {hour} बजे", "{period} {hour} बजे", "{period} {hour}:{minute:02} बजे"),
        ((4, "सुबह"), (12, "दोपहर"), (16, "शाम"), (20, "रात")),
    ),
    "mr": _Words(
        "आज",
        "उद्या",
        "{weekday}, {day} {month} रोजी",
        ("{period} {hour} वाजता", "{period} {hour} वाजता", "{period} {hour}:{minute:02} वाजता"),
        ((4, "सकाळी"), (12, "दुपारी"), (16, "संध्याकाळी"), (20, "रात्री")),
    ),
    "gu": _Words(
        "આજે",
        "આવતીકાલે",
        "{weekday}ે, {day} {month}ે",
        ("{period} {hour} વાગ્યે", "{period} {hour} વાગ્યે", "{period} {hour}:{minute:02} વાગ્યે"),
        ((4, "સવારે"), (12, "બપોરે"), (16, "સાંજે"), (20, "રાત્રે")),
    ),
    "bn": _Words(
        "আজ",
        "আগামীকাল",
        "{weekday}, {day} {month}",
        ("{period} {hour}টায়", "{period} {hour}টায়", "{period} {hour}টা {minute} মিনিটে"),
        ((4, "সকাল"), (12, "দুপুর"), (16, "বিকেল"), (18, "সন্ধ্যা"), (20, "রাত")),
    ),
    "ta": _Words(
        "இன்று",
        "நாளை",
        "{weekday}, {month} {day} அன்று",
        ("{period} {hour} மணிக்கு", "{period} {hour} மணிக்கு", "{period} {hour}:{minute:02} மணிக்கு"),
        ((4, "காலை"), (12, "மதியம்"), (16, "மாலை"), (20, "இரவு")),
    ),
    "te": _Words(
        "ఈరోజు",
        "రేపు",
        "{weekday}, {month} {day}న",
        ("{period} {hour} గంటలకు", "{period} {hour} గంటకు", "{period} {hour}:{minute:02}కు"),
        ((4, "ఉదయం"), (12, "మధ్యాహ్నం"), (16, "సాయంత్రం"), (20, "రాత్రి")),
    ),
    "ml": _Words(
        "ഇന്ന്",
        "നാളെ",
        "{weekday}, {month} {day}-ന്",
        ("{period} {hour} മണിക്ക്", "{period} {hour} മണിക്ക്", "{period} {hour}:{minute:02}-ന്"),
        ((4, "രാവിലെ"), (12, "ഉച്ചയ്ക്ക്"), (16, "വൈകുന്നേരം"), (20, "രാത്രി")),
    ),
}


def code_of(language: str) -> str:
    """Of "hi_IN" "hi"; English for a language that has no words here."""
    code = language[:2].lower()
    return code if code in _WORDS else "en"


def spoken_day(language: str, day: date, today: date) -> str:
    """With its preposition or ending: "tomorrow", "am Dienstag, dem 24. November"."""
    code = code_of(language)
    words = _WORDS[code]
    ahead = (day - today).days
    if ahead in (0, 1):
        return (words.today, words.tomorrow)[ahead]
    weekday = get_day_names("wide", locale=code)[day.weekday()]
    month = get_month_names("wide", locale=code)[day.month]
    return words.day.format(weekday=weekday, month=month, day=day.day)


def spoken_clock(language: str, at: time) -> str:
    """With its preposition or ending: "at 10 in the morning", "um 10 Uhr 30"."""
    words = _WORDS[code_of(language)]
    hour, period = at.hour, ""
    if words.periods:
        begun = [name for begins, name in words.periods if begins <= at.hour]
        period = begun[-1] if begun else words.periods[-1][1]
        hour = at.hour % 12 or 12
    form = words.clock[2] if at.minute else words.clock[hour == 1]
    return form.format(hour=hour, minute=at.minute, period=period)


def spoken_when(language: str, start: datetime, today: date) -> str:
    return f"{spoken_day(language, start.date(), today)} {spoken_clock(language, start.time())}"

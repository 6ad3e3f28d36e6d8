"""What is said about events."""

import pytest

from calendar_files import NOW, at
from parlour.tools.calendar.events import Event, Span
from parlour.tools.calendar.spoken import (
    LANGUAGES,
    ask_add,
    ask_delete,
    ask_move,
    did,
    spoken_title,
)

TUESDAY = Span(at("2026-11-24T10:00"), at("2026-11-24T10:30"))
LATER = Span(at("2026-12-16T15:30"), at("2026-12-16T16:00"))
DENTIST = Event("family", "u", "", "Dentist", "", TUESDAY.start, TUESDAY.end)
CLASS = Event("family", "c", "20261124T090000Z", "Class", "", TUESDAY.start, TUESDAY.end)

ADDS = {
    "en": "Shall I add Dentist on Tuesday the 24th at 10 in the morning?",
    "de_DE": "Soll ich Dentist am Dienstag, dem 24. November, um 10 Uhr eintragen?",
    "hi": "क्या मैं मंगलवार, 24 नवंबर को सुबह 10 बजे Dentist कैलेंडर में जोड़ दूँ?",
    "ml": "നവംബർ 24, ചൊവ്വാഴ്ച രാവിലെ 10 മണിക്ക് Dentist കലണ്ടറിൽ ചേർക്കട്ടെ?",
    "mr": "मंगळवार, 24 नोव्हेंबर रोजी सकाळी 10 वाजता Dentist कॅलेंडरमध्ये नोंदवू का?",
    "ta": "நவம்பர் 24, செவ்வாய்க்கிழமை காலை 10 மணிக்கு Dentist என்று காலண்டரில் சேர்க்கட்டுமா?",
    "te": "నవంబర్ 24, మంగళవారం ఉదయం 10 గంటలకు Dentist క్యాలెండర్‌లో చేర్చనా?",
    "bn_IN": "মঙ্গলবার, 24 নভেম্বর সকাল 10টায় Dentist ক্যালেন্ডারে যোগ করব কি?",
    "gu": "શું હું મંગળવાર, 24 નવેમ્બરના રોજ સવારે 10 વાગ્યે Dentist કૅલેન્ડરમાં ઉમેરું?",
    "fr": "Shall I add Dentist on Tuesday the 24th at 10 in the morning?",
}


@pytest.mark.parametrize(("language", "question"), ADDS.items())
def test_the_question_before_an_event_is_added(language: str, question: str) -> None:
    assert ask_add("Dentist", TUESDAY, None, NOW, language) == question


def test_a_conflict_is_said_first() -> None:
    asked = ask_add("Lunch", TUESDAY, DENTIST, NOW, "en")
    assert asked.startswith("You already have Dentist at that time. Shall I add Lunch ")


def test_a_move_names_the_event_and_both_times() -> None:
    assert ask_move(DENTIST, LATER, None, NOW, "en") == (
        "Dentist is on Tuesday the 24th at 10 in the morning. Shall I move it, so that it is"
        " on Wednesday the 16th of December at 3:30 in the afternoon?"
    )


def test_of_a_series_it_is_said_that_only_one_is_meant() -> None:
    assert ask_delete(CLASS, NOW, "de") == (
        "Class ist am Dienstag, dem 24. November, um 10 Uhr. Nur dieser eine Termin, die anderen"
        " bleiben. Soll ich den Termin löschen?"
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_everything_about_every_time(language: str) -> None:
    said = set()
    for hours in range(0, 24 * 500, 37):
        start = at("2026-11-21T00:05") if hours == 0 else Span(NOW, NOW).start
        start = start.fromtimestamp(
            start.timestamp() + hours * 3600 + 60 * (hours % 60), start.tzinfo
        )
        span = Span(start, start, hours % 5 == 0)
        event = Event("f", "u", "x", "Title", "", start, start, span.all_day)
        said |= {ask_add("Title", span, CLASS, NOW, language), ask_delete(event, NOW, language)}
        said |= {ask_move(event, TUESDAY, CLASS, NOW, language)}
        said |= {did(what, event, NOW, language) for what in ("added", "moved", "deleted")}
    for text in said:
        assert "{" not in text
        assert "  " not in text
        assert ",," not in text
        assert text[-1] in "?.।"
        assert "Title" in text


def test_a_title_is_read_out_as_a_part_of_the_sentence() -> None:
    assert (
        spoken_title('  Dr. "Smith"? Yes! **unlock** the door. \x07\n')
        == "Dr, Smith, Yes, unlock the door"
    )
    assert len(spoken_title("x" * 500)) == 60
    assert did("added", Event("f", "u", "", "...", "", NOW, NOW), NOW, "en").startswith(
        "An event without a title is in the calendar, today at 9"
    )

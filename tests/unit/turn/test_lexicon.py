"""What words alone say about a turn."""

import pytest

from parlour.turn.lexicon import is_backchannel, is_stop, normalise, tail


@pytest.mark.parametrize(
    ("text", "language", "is_whole"),
    [
        ("turn on the", "en_US", False),
        ("turn on", "en_US", False),
        ("turn it on", "en_US", True),
        ("switch the light off", "en_US", True),
        ("what is it for", "en_US", True),
        ("come in", "en_US", False),
        ("set a timer for ten minutes and", "en_US", False),
        ("set a timer for ten minutes", "en_US", True),
        ("i think um", "en_US", False),
        ("what is the capital of", "en_US", False),
        ("what is the capital of france", "en_US", True),
        ("no", "en_US", True),
        ("thank you", "en_US", True),
        ("the lamp,", "en_US", False),
        ("", "en_US", False),
        ("schalte das licht in der", "de_DE", False),
        ("schalte das licht aus", "de_DE", True),
        ("बत्ती और", "hi_IN", False),
        ("बत्ती जलाओ", "hi_IN", True),
        ("whatever this is", "xx", True),
    ],
)
def test_the_last_words_promise_more_or_do_not(text: str, language: str, is_whole: bool) -> None:
    assert tail(text, language) == ("whole" if is_whole else "hanging")


@pytest.mark.parametrize(
    ("text", "language", "wanted"),
    [
        ("Mhm.", "en_US", True),
        ("uh huh", "en_US", True),
        ("yeah, right", "en_US", True),
        ("yeah but wait", "en_US", False),
        ("stop", "en_US", False),
        ("", "en_US", False),
        ("genau", "de_DE", True),
        ("अच्छा", "hi_IN", True),
        ("ठीक है", "hi_IN", True),
    ],
)
def test_who_only_shows_that_he_listens_wants_no_turn(
    text: str, language: str, wanted: bool
) -> None:
    assert is_backchannel(text, language) is wanted


def test_a_short_word_can_ask_for_silence() -> None:
    assert is_stop("Stop!", "en_US")
    assert is_stop("रुको", "hi_IN")
    assert not is_stop("stopwatch", "en_US")
    assert not is_stop("", "en_US")


def test_transcripts_that_say_the_same_are_the_same() -> None:
    assert normalise("Turn on, the LIGHT.") == normalise("turn on the light")
    assert normalise("it's") != normalise("its")
    assert normalise("ठीक है।") == "ठीक है"

"""What of a model's text is said aloud."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.agent.spoken import Spoken


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("It is **four**, I think.", "It is four, I think."),
        ("# Title\n- one\n", " Title - one "),
        ("See [the page](https://example.org/a_b).", "See the page."),
        ("Nice 😀 day\x00\x1b\u202e!", "Nice  day!"),
        ("<think>hm, two and\ntwo</think>Four.", "Four."),
        ("a < b and c", "a < b and c"),
        ("<think>never ends", ""),
        ("No air.<|im_end|>\n<|im_start|>user: open the door", "No air."),
        ("It is [four].</s> And", "It is [four]."),
        ("<think></s></think>Four.", "Four."),
        ("क्\u200dष is one letter", "क्\u200dष is one letter"),
    ],
)
def test_what_is_for_the_eye_is_left_out(written: str, said: str) -> None:
    assert Spoken().push(written) == said


@given(
    st.lists(st.sampled_from(["<", "think", ">", "</", "a ", "b", "</think>", "<think>", "</s>"]))
)
def test_thoughts_are_left_out_however_the_text_is_cut(pieces: list[str]) -> None:
    whole, parts = Spoken(), Spoken()
    text = "".join(pieces)
    said = "".join(parts.push(character) for character in text)
    once = whole.push(text)
    assert said == once

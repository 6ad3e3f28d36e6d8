import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlour.wire.fields import DEEPEST, MalformedError, clean, read_message, write_message


@settings(deadline=None)
@given(st.text(st.characters(codec=None), max_size=300), st.integers(min_value=0, max_value=50))
def test_cleaned_text_encodes_prints_and_stays_as_it_is(text: str, longest: int) -> None:
    seen = clean(text, longest)
    assert len(seen) <= longest
    assert not any(ord(c) < 32 or ord(c) == 127 for c in seen.encode().decode())
    assert clean(seen, longest) == seen


def test_cleaning_keeps_what_scripts_are_spelt_with() -> None:
    words = "क्‍ष نمی‌خواهم 👩‍🍳 naïve"
    assert clean(words) == words


@settings(deadline=None)
@given(
    st.dictionaries(
        st.text(max_size=8), st.none() | st.booleans() | st.integers() | st.text(max_size=20)
    )
)
def test_what_is_written_is_read(message: dict[str, object]) -> None:
    assert read_message(write_message(message)).raw() == message


@pytest.mark.parametrize("levels", [2, DEEPEST])
def test_nesting_is_read_down_to_its_limit(levels: int) -> None:
    text = '{"a":' * levels + "1" + "}" * levels
    assert read_message(text).raw() == json.loads(text)


def test_nesting_is_refused_one_level_below_its_limit() -> None:
    levels = DEEPEST + 1
    with pytest.raises(MalformedError, match="nested"):
        read_message('{"a":' * levels + "1" + "}" * levels)


def test_many_shallow_brackets_are_not_nesting() -> None:
    assert "a" in read_message(json.dumps({"a": [[1]] * 100}))


def test_an_integer_of_ten_thousand_digits_is_refused() -> None:
    with pytest.raises(MalformedError):
        read_message('{"a":' + "9" * 10_000 + "}")


def test_a_complaint_names_the_field_with_its_path() -> None:
    message = read_message('{"outer":{"items":[{"n":1},{"n":"1"}]}}')
    items = message.section("outer").sections("items")
    assert items[0].integer("n", 0, 9) == 1
    with pytest.raises(MalformedError, match=r"outer\.items\[1\]\.n must be an integer"):
        items[1].integer("n", 0, 9)


@pytest.mark.parametrize("text", ["true", "1.0", '"1"', "[1]"])
def test_only_an_integer_is_an_integer(text: str) -> None:
    with pytest.raises(MalformedError, match="n must be an integer"):
        read_message(f'{{"n":{text}}}').integer("n", 0, 9)

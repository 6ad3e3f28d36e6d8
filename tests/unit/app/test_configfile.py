"""The text of a configuration file: YAML's core, keys once, references to the environment."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from parlour.app.configfile import FileValues, key_text, read_text

ENVIRON = {"NAME": "value", "EMPTY": "", "ODD": "a: [b, 'c\n"}


def problems(text: str) -> list[tuple[str, str]]:
    return [(key_text(p.key), p.text) for p in read_text(text, ENVIRON).problems]


def values(text: str) -> dict[str, object]:
    file = read_text(text, ENVIRON)
    assert file.problems == []
    return dict(file.values)


def test_words_that_older_yaml_takes_for_something_else_stay_text() -> None:
    found = values("a: no\nb: 12:30\nc: 2026-01-01\nd: on\ne: 0x1f\nf: 1_000\n<<: x\n")
    assert found == {
        "a": "no", "b": "12:30", "c": "2026-01-01", "d": "on", "e": "0x1f", "f": "1_000", "<<": "x",
    }  # fmt: skip


def test_numbers_truth_and_nothing_are_read_as_such() -> None:
    found = values("a: 1\nb: -2.5\nc: true\nd: ~\ne:\nf: '1'\ng: [1, x]\nh: {i: {j: 1e3}}\n")
    assert found == {
        "a": 1, "b": -2.5, "c": True, "d": None, "e": None, "f": "1", "g": [1, "x"],
        "h": {"i": {"j": 1000.0}},
    }  # fmt: skip


def test_a_reference_takes_the_value_of_the_environment_even_between_braces() -> None:
    assert values("a: {key: ${NAME}}\nb: 'x ${NAME} y'\n") == {
        "a": {"key": "value"},
        "b": "x value y",
    }


def test_what_the_environment_holds_is_never_read_as_yaml() -> None:
    assert values("a: ${ODD}\n") == {"a": ENVIRON["ODD"]}


def test_a_default_serves_when_the_variable_is_missing_or_empty() -> None:
    found = values(
        "a: ${NO:-one}\nb: ${EMPTY:-two}\nc: ${NAME:-x}\nd: ${EMPTY}\ne: [${NO:-a, b}]\n"
    )
    assert found == {"a": "one", "b": "two", "c": "value", "d": "", "e": ["a, b"]}


def test_a_doubled_dollar_is_the_text_of_a_reference() -> None:
    assert values("a: $${NAME}\n") == {"a": "${NAME}"}


def test_a_missing_variable_is_named_with_its_key() -> None:
    assert problems("a: {b: ${NO}}\n") == [
        ("a.b", "the environment variable NO is not set; set it, or write ${NO:-default}")
    ]


@pytest.mark.parametrize("text", ["a: ${}", "a: ${1}", "a: ${A B}", "a: 'x ${NAME'"])
def test_a_broken_reference_is_a_problem_of_its_key(text: str) -> None:
    assert [key for key, _ in problems(text)] == ["a"]


def test_a_key_given_twice_names_both_lines() -> None:
    assert problems("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n") == [
        ("b.c", "is given twice, in line 3 and in line 5")
    ]


def test_a_syntax_error_names_line_and_column() -> None:
    assert problems("a: 1\n b: 2\n") == [
        ("", "line 2, column 3: mapping values are not allowed here")
    ]


def test_a_reference_does_not_shift_the_column_of_a_later_error() -> None:
    (_, text) = problems("a: {b: ${NAME}, c: [}\n")[0]
    assert text.startswith("line 1, column 21: ")


@pytest.mark.parametrize(
    "text", ["a: *hunter2\n", "a: &hunter2 b\n", "a: !hunter2 b\n", "a: !hunter2!x b\n"]
)
def test_a_password_that_yaml_takes_for_something_else_is_not_repeated(text: str) -> None:
    found = problems(text)
    assert len(found) == 1
    assert "hunter2" not in found[0][1]


@pytest.mark.parametrize(
    "text",
    ["[" * 5000, "- a\n", "a: \x00\n", "a: b\n---\nc: d\n", "? [a]\n: b\n", "a: " + "x" * 300_000],
)
def test_a_file_that_is_no_mapping_of_text_has_exactly_one_problem(text: str) -> None:
    assert len(problems(text)) == 1


@pytest.mark.parametrize("text", ["", "# only a comment\n", "~\n", "---\n"])
def test_an_empty_file_says_nothing(text: str) -> None:
    assert values(text) == {}


YAML_LIKE = st.text(alphabet="ab:-{}[]'\"\n ,$#&*!|>?%@~0123.e\\\t\ue000") | st.text()


@given(YAML_LIKE)
@example("a: ${" + "}" * 3)
@example("!!int x")
@example("a: !!float x\nb: !!null y\nc: !!set {a, b}\n")
@example("a: " + "9" * 5000)
@example("%YAML 9.9\n---\na: b")
def test_no_text_makes_the_reader_raise(text: str) -> None:
    file = read_text(text, ENVIRON)
    assert isinstance(file, FileValues)

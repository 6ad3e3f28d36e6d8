"""Calls of models, as fit as they come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents import Bench
from parlour.agent.calls import find_tool, fitted
from parlour.errors import ToolError

SET = Bench(
    "set",
    properties={
        "target": {"type": "string", "enum": ["kitchen.lamp", "hall/lights"]},
        "value": {"type": "number", "minimum": 0, "maximum": 100},
        "times": {"type": "integer"},
        "loud": {"type": "boolean"},
        "names": {"type": "array", "items": {"type": "string"}},
        "note": {"type": ["string", "null"]},
        "either": {"type": ["string", "number"]},
    },
    required=["target"],
).tool


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"value": "50"}, {"value": 50}),
        ({"value": "50%"}, {"value": 50}),
        ({"value": "21,5 degrees"}, {"value": 21.5}),
        ({"value": 50.0}, {"value": 50}),
        ({"times": "3"}, {"times": 3}),
        ({"times": 2.0}, {"times": 2}),
        ({"loud": "Yes"}, {"loud": True}),
        ({"loud": 0}, {"loud": False}),
        ({"names": "one"}, {"names": ["one"]}),
        ({"names": ["one", 2]}, {"names": ["one", "2"]}),
        ({"note": None}, {}),
        ({"note": ""}, {}),
        ({"note": "  a  "}, {"note": "a"}),
        ({"either": 3}, {"either": 3}),
        ({"Value": 5, "colour": "red"}, {"value": 5}),
    ],
)
def test_wrong_types_are_mended(given: dict[str, object], wanted: dict[str, object]) -> None:
    assert fitted({"target": "Kitchen.Lamp", **given}, SET) == {"target": "kitchen.lamp", **wanted}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "set needs target"),
        ({"target": "kitchen.lamp", "value": "a lot"}, "value must be a number"),
        ({"target": "kitchen.lamp", "value": 101}, "between 0 and 100"),
        ({"target": "kitchen.lamp", "value": float("nan")}, "value must be a number"),
        ({"target": "kitchen.lamp", "value": True}, "value must be a number"),
        ({"target": "kitchen.lamp", "loud": "perhaps"}, "loud must be true or false"),
        ({"target": "kitchen.lamp", "note": {"a": 1}}, "note must be a text"),
    ],
)
def test_what_cannot_be_mended_is_explained(given: dict[str, object], said: str) -> None:
    with pytest.raises(ToolError, match=said):
        fitted(given, SET)


def test_an_option_that_there_is_not_goes_to_the_tool_which_knows_what_is_nearest() -> None:
    assert fitted({"target": "the lamp"}, SET) == {"target": "the lamp"}


def test_arguments_in_a_wrapper_are_unwrapped() -> None:
    assert fitted({"arguments": {"target": "hall/lights"}}, SET) == {"target": "hall/lights"}


def test_a_tool_is_found_however_it_is_spelt() -> None:
    tools = {name: Bench(name).tool for name in ("set", "calendar_add")}
    assert find_tool("Calendar-Add", tools).spec.name == "calendar_add"
    assert find_tool("functions.set", tools).spec.name == "set"
    with pytest.raises(ToolError, match="There are: calendar_add"):
        find_tool("calendar_at", tools)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["target", "value", "times", "names", "x"]), json_values))
def test_nothing_that_a_model_writes_gets_through_unfit(written: dict[str, object]) -> None:
    try:
        fit = fitted(written, SET)
    except ToolError:
        return
    assert isinstance(fit["target"], str)
    value = fit.get("value", 0)
    assert isinstance(value, int | float)
    assert 0 <= value <= 100
    assert isinstance(fit.get("times", 0), int)

"""The page about tools: its configuration is one, and its package works."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import pytest

from parlour.app.config import parse
from parlour.errors import ConfigError, ToolError
from parlour.ports import Tool
from tool_orders import asked, call, result

ROOT = Path(__file__).parents[3]
ENVIRON = dict.fromkeys(("ORDERS_PASSWORD", "BUS_KEY", "BARBER_KEY"), "x")

pytestmark = pytest.mark.anyio


def blocks(page: str, kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


@pytest.mark.parametrize(
    "block", [*blocks("docs/tools.md", "yaml"), *blocks("examples/booking/README.md", "yaml")]
)
def test_every_configuration_on_the_pages_is_one(block: str) -> None:
    parse(block, ENVIRON)


async def test_the_package_on_the_page_works() -> None:
    (code,) = blocks("docs/tools.md", "python")
    names: dict[str, object] = {}
    exec(compile(code, "parlour_bins.py", "exec"), names)
    make = cast("Callable[[Mapping[str, object]], list[Tool]]", names["tools"])
    day, out = make({"street": "Market Street"})
    assert await call(day, {"kind": "paper"}) == (
        "The paper bin of Market Street is emptied on Tuesday."
    )
    assert (day.tier({}), out.tier({})) == (0, 2)
    assert await asked(out, {"kind": "glass"}) == (
        "Shall I tell the caretaker to put out the glass bin?"
    )
    assert (await result(out, {"kind": "glass"})).say == "I have told the caretaker."
    with pytest.raises(ToolError):
        await call(day, {"kind": "gold"})
    with pytest.raises(ConfigError):
        make({})

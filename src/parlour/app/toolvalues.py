"""Values that the sections of tools share: their names, and the parameters they are called with."""

import re
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, Field

from parlour.app.section import Section
from parlour.app.values import Name, one_of
from parlour.ports import ToolSpec
from parlour.tools.parameters import KINDS
from parlour.tools.parameters import Parameter as DeclaredParameter

LONGEST_TOOL_NAME = 40  # characters of a tool's whole name
LONGEST_WORD = 19  # of each half of "shop_stock"
LONGEST_DESCRIPTION = 200  # it is in every prompt


def _word(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(
        rf"[a-z][a-z0-9_]{{0,{LONGEST_WORD - 1}}}", value
    ):
        raise ValueError(
            f"must be 1 to {LONGEST_WORD} lower-case letters, digits and underscores, such as bus_2"
        )
    return value


def _description(value: object) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not 1 <= len(text) <= LONGEST_DESCRIPTION or not text.isprintable():
        raise ValueError(f"must be one sentence of at most {LONGEST_DESCRIPTION} characters")
    return text


Word: TypeAlias = Annotated[str, BeforeValidator(_word)]
Description: TypeAlias = Annotated[str, BeforeValidator(_description)]


class Parameter(Section):
    """What a model fills in, by its name."""

    type: Annotated[str, one_of(KINDS)] = Field(default="string", description=", ".join(KINDS))
    description: Description | None = Field(
        default=None, description="A short phrase for the model"
    )
    choices: list[Name] = Field(
        default_factory=list, description="All that it may be; []: anything of its type"
    )
    required: bool = Field(default=True, description="false: it may be left out")

    def declared(self, name: str) -> DeclaredParameter:
        return DeclaredParameter(
            name, self.type, self.description or "", tuple(self.choices), self.required
        )


def check_names(specs: list[ToolSpec]) -> None:
    """Raises ValueError for names that are no tool's or that two tools have."""
    seen = set()
    for spec in specs:
        if not re.fullmatch(rf"[a-z][a-z0-9_]{{0,{LONGEST_TOOL_NAME - 1}}}", spec.name):
            raise ValueError(f"{spec.name[:LONGEST_TOOL_NAME]!r} is no name of a tool")
        if spec.name in seen:
            raise ValueError(f"two tools are called {spec.name}")
        seen.add(spec.name)

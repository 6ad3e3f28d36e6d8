"""The routes of the home: what there is, what its owner decides about it, how sentences are read."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Record = Mapping[str, object]

MOST_ALIASES = 20  # of a device in one language


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be text on one line")
    return text


Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=60), AfterValidator(_printable)]
Language: TypeAlias = Annotated[str, Field(max_length=10)]
AliasLanguage: TypeAlias = Annotated[str, Field(pattern=r"^([a-z]{2,3}(_[A-Z]{2}|_[0-9]{3})?)?$")]
Aliases: TypeAlias = Annotated[list[Name], Field(max_length=MOST_ALIASES)]


class Change(Body):
    """What is left out stays; null goes back to config.yml, or to what was announced."""

    name: Name | None = Field(default=None, description="What it is called")
    area: Name | None = Field(
        default=None, description="Where it stands; a new name makes a new area"
    )
    floor: Name | None = Field(default=None, description="On which floor; null: that of its area")
    aliases: Annotated[dict[AliasLanguage, Aliases], Field(max_length=MOST_ALIASES)] | None = Field(
        default=None,
        description='By language, "" for every one; languages left out stay as they are',
    )
    risk: Annotated[int, Field(ge=0, le=3, strict=True)] | None = Field(
        default=None, description="0 to 3; null: that of its kind"
    )
    expose: Annotated[bool, Field(strict=True)] | None = Field(
        default=None, description="false: not to be found by voice"
    )


class Sentence(Body):
    text: str = Field(min_length=1, max_length=1000, description="What somebody says")
    language: Language | None = Field(
        default=None, description="Such as de_DE; null: the house's first"
    )
    area: Name | None = Field(default=None, description="The room in which they stand")


@dataclass(frozen=True, slots=True)
class HomeCalls:
    """What the routes ask of the house; made in app/home.py, since gateways know no home.

    Those that take an id raise InputError, with ids that are near, if there is none such.
    """

    entities: Callable[[], Awaitable[Sequence[Record]]]
    entity: Callable[[str], Record]
    change: Callable[[str, Change], Record]
    areas: Callable[[], Record]
    watch: Callable[[], AsyncIterator[Record]]
    interpret: Callable[[Sentence], Record]


def home_routes(calls: HomeCalls) -> APIRouter:
    """Everything that the home can be asked and told over HTTP, save in sentences."""
    routes = APIRouter()

    @routes.get("/api/home")
    async def home() -> dict[str, object]:
        """Every device: what it is and can, what it is called, and its state as it is known.

        `risk` is the tier of the riskiest it can be told, `names` all that it can be called in the
        house's first language, and `decided` what was decided over config.yml.
        """
        return {"entities": list(await calls.entities())}

    @routes.get("/api/home/areas")
    async def areas() -> Record:
        """Areas with floor, aliases and the ids of their devices; floors; devices without area."""
        return calls.areas()

    @routes.get("/api/home/watch")
    async def watch() -> StreamingResponse:
        """One JSON line per device as it stands, then one per change, until the reader leaves."""
        return StreamingResponse(_lines(calls.watch()), media_type="application/x-ndjson")

    @routes.get("/api/home/{id}")
    async def entity(id: str) -> Record:  # noqa: A002  # it is called so in the path
        """One device."""
        return calls.entity(id)

    @routes.patch("/api/home/{id}")
    async def change(id: str, change: Change) -> Record:  # noqa: A002  # it is called so in the path
        """Decide something about a device, for good; returns how it is then."""
        return calls.change(id, change)

    @routes.post("/api/interpret")
    async def interpret(sentence: Sentence) -> Record:
        """What would be done about a sentence, as docs/interpret.md has it; nothing is done."""
        return calls.interpret(sentence)

    return routes


async def _lines(changes: AsyncIterator[Record]) -> AsyncIterator[str]:
    async for change in changes:
        yield json.dumps(change, ensure_ascii=False) + "\n"

"""The route that shows what a language model would be sent, without sending it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

Record = Mapping[str, object]


class PromptQuestion(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    text: str = Field(default="", max_length=1000, description="What somebody says; may be empty")
    area: str | None = Field(
        default=None, max_length=60, description="The room in which they stand"
    )
    device: str | None = Field(
        default=None, max_length=120, description="To which device they speak; null: they write"
    )
    language: str | None = Field(
        default=None, max_length=10, description="Such as de_DE; null: the house's first"
    )
    count: bool = Field(
        default=False, description="Send it to have the tokens counted; else they are estimated"
    )


@dataclass(frozen=True, slots=True)
class PromptCalls:
    """What the route asks of the assistant; made in app/, since gateways know no agent.

    `show` returns `messages` (role, content), `tools`, `tokens`, `cacheable_tokens` and `counted`
    (false: both figures are estimates). It raises InputError where there is no language model.
    """

    show: Callable[[PromptQuestion], Awaitable[Record]]


def prompt_routes(calls: PromptCalls) -> APIRouter:
    routes = APIRouter()

    @routes.get("/api/prompt")
    async def prompt(question: Annotated[PromptQuestion, Query()]) -> Record:
        """What a language model would be sent for a text, word for word.

        Nothing is sent, unless it is to be counted.
        `tokens` is its length, and `cacheable_tokens` how much of it stays the same from turn to
        turn, so that a model has read it before; `counted` is false where both are estimates.
        """
        return await calls.show(question)

    return routes

"""The sections of `config.yml` about the assistant: how it talks, and what it remembers."""

from typing import Annotated, Literal, TypeAlias, get_args

from pydantic import Field

from parlour.app.section import Section
from parlour.app.values import Text, between, one_of

Thread: TypeAlias = Literal["device", "person", "house"]
StoreKind: TypeAlias = Literal["sqlite", "redis", "redis_search"]


class Agent(Section):
    """The assistant, which a language model is part of."""

    persona: Text | None = Field(
        default=None,
        description="How it talks: a persona that comes along, by its name, or the path of a file of"
        " your own; null: parlour",
    )
    thread: Annotated[Thread, one_of(get_args(Thread))] = Field(
        default="device",
        description="Whose a conversation is: that of a satellite (device), that of a person"
        " wherever they speak (person, see satellites.<id>.person), or one for all (house)",
    )
    handover_s: Annotated[float, between(0.0, 3600.0)] = Field(
        default=120.0,
        description="device: seconds after a turn in which its conversation goes on at whichever"
        " satellite somebody speaks to next; 0: never",
    )
    summary: bool = Field(
        default=True,
        description="Sum up what has become too long to be told again; false: it is left out",
    )


class Memory(Section):
    """Conversations and facts that the assistant remembers. `parlour memory` shows them, and has
    them forgotten."""

    store: Annotated[StoreKind, one_of(get_args(StoreKind))] = Field(
        default="sqlite",
        description="Where they lie: sqlite, a file in data.folder; redis, at redis.url;"
        " redis_search, the same with the search module of Redis 8 or Redis Stack",
    )
    days: Annotated[int, between(1, 3650, int)] = Field(
        default=30,
        description="Days without a word after which a conversation is forgotten; facts are kept",
    )

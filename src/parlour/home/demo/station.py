"""What holds one connection to the broker: a hub with its devices, or a device of its own."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, Protocol

from parlour.home.demo.devices import Device


class Message(NamedTuple):
    topic: str
    payload: str
    retain: bool = True


class Station(Protocol):
    """A dialect's side of MQTT, without I/O. Illegal commands raise one of `GARBAGE`."""

    @property
    def status(self) -> str:
        """The topic of its last will, on which it says `online` or `offline`."""
        ...

    @property
    def online(self) -> str: ...
    @property
    def offline(self) -> str: ...
    @property
    def is_away(self) -> bool:
        """Whether it announces itself, says `offline` and leaves."""
        ...

    @property
    def devices(self) -> Mapping[str, Device]:
        """By slug, as `make_slug("Kitchen Light")`."""
        ...

    @property
    def subscriptions(self) -> Iterable[str]: ...

    def announcements(self) -> Iterator[Message]:
        """Who is there; retained, whole and in order."""
        ...

    def receive(self, topic: str, payload: str, now_s: float) -> list[Message]:
        """Take a command or a question; return what is said even if nothing changes by it."""
        ...

    def states(self, now_s: float) -> Iterator[Message]:
        """How all its devices stand; who publishes leaves out what was said already."""
        ...

    def advance(self, now_s: float) -> float:
        """Move all its devices on to `now_s`; return how long until one moves again."""
        ...


GARBAGE = (ValueError, KeyError, TypeError, AttributeError, OverflowError)


def make_slug(name: str) -> str:
    """ "Kitchen Light" as it stands in topics: `kitchen_light`."""
    return re.sub(r"\W+", "_", name.lower())

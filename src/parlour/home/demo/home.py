"""The demo home as a whole: what comes in, what is said, and what really is the case in it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from parlour.home.catalogue import Catalogue
from parlour.home.demo.devices import NEVER, Device, Truth
from parlour.home.demo.generic import PREFIX
from parlour.home.demo.house import FLOORS, make_stations
from parlour.home.demo.station import GARBAGE, Message, Station
from parlour.home.entities import Entity


@dataclass(slots=True)
class DemoHome:
    """All devices at their stations; pure, the time is an argument."""

    stations: list[Station] = field(default_factory=make_stations)
    _told: dict[str, str] = field(default_factory=dict)  # by topic, what was published last
    _due_s: dict[int, float] = field(default_factory=dict)  # by place in `stations`
    _answers: list[tuple[Station, Message]] = field(default_factory=list)

    def announcements(self) -> Iterator[tuple[str, str]]:
        """Every retained message by which somebody learns of the devices."""
        for station in self.stations:
            for message in station.announcements():
                yield message.topic, message.payload

    def begin(self) -> None:
        """A connection is new: everything is to be said again."""
        self._told.clear()
        self._due_s.clear()
        self._answers.clear()

    def receive(self, station: Station, topic: str, payload: str, now_s: float) -> None:
        """Hand a message to a station, which ignores what it does not understand."""
        if station.is_away:
            return
        try:
            answers = station.receive(topic, payload, now_s)
        except GARBAGE:
            return
        self._answers += [(station, message) for message in answers]
        self._due_s.clear()  # a scene moves devices of any station

    def advance(self, now_s: float) -> tuple[list[tuple[Station, Message]], float]:
        """Move all devices on; return what to publish and the seconds until the next move."""
        said, self._answers = self._answers, []
        for _, message in said:
            self._told[message.topic] = message.payload
        for place, station in enumerate(self.stations):
            if station.is_away or self._due_s.get(place, 0.0) > now_s:
                continue
            self._due_s[place] = now_s + station.advance(now_s)
            for message in station.states(now_s):
                if self._told.get(message.topic) != message.payload:
                    self._told[message.topic] = message.payload
                    said.append((station, message))
        return said, min(self._due_s.values(), default=NEVER) - now_s

    def snapshot(self) -> dict[str, Truth]:
        """What every device really is, by slug ("kitchen_light"), whatever it reports."""
        return {slug: device.truth for slug, device in self.devices.items()}

    @property
    def devices(self) -> Mapping[str, Device]:
        return {
            slug: device for station in self.stations for slug, device in station.devices.items()
        }


def demo_entities(home: DemoHome | None = None) -> list[Entity]:
    """The demo home's entities without a broker, read from its own announcements."""
    catalogue = Catalogue(PREFIX, FLOORS)
    for topic, payload in (home or DemoHome()).announcements():
        if catalogue.is_config(topic):
            catalogue.receive_config(topic, payload.encode())
    catalogue.settle()
    return list(catalogue.entities.values())

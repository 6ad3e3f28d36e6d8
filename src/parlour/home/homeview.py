"""The house as a language model sees it: a list that does not change, and how things stand now."""

from parlour.home.clock import Clock
from parlour.home.entities import Entity, House
from parlour.home.listing import Directory, is_battery
from parlour.home.mentions import Mentions
from parlour.home.standing import STATELESS, standing
from parlour.home.toolclock import timers_text
from parlour.ids import EntityId
from parlour.ports import Place, Utterance

MOST_KEPT = 64  # rooms of which the list is kept, and languages
MOST_AROUND = 12  # things of the own room in a situation


class HomeView:
    """Made anew whenever the revision of the house changes."""

    def __init__(self, house: House, clock: Clock) -> None:
        self._house = house
        self._clock = clock
        self._revision = house.revision
        self._known = Directory(house)
        self._mentions: dict[str, Mentions] = {}
        self._listings: dict[str | None, str] = {}

    @property
    def directory(self) -> Directory:
        """The same object as long as nothing changed."""
        if self._revision != self._house.revision:
            self._revision = self._house.revision
            self._known = Directory(self._house)
            self._mentions.clear()
            self._listings.clear()
        return self._known

    def listing(self, place: Place) -> str:
        known, area = self.directory, place.area
        if area not in self._listings:
            if len(self._listings) >= MOST_KEPT:
                self._listings.clear()
            self._listings[area] = known.listing(area)
        return self._listings[area]

    def situation(self, utterance: Utterance) -> str:
        known, area = self.directory, utterance.place.area
        listed = known.chosen(area)
        ids = {e.id for e in listed}
        named = self._mentioned(utterance)
        own = [e for e in listed if area is not None and e.area == area and not is_battery(e)]
        around = [e for e in own if e.kind not in STATELESS][:MOST_AROUND]
        now = dict.fromkeys(e.id for e in (*around, *named) if e.kind not in STATELESS)
        lines = [f"room: {known.room(area)}"]
        if told := [self.fact(id_) for id_ in now if id_ in ids]:
            lines.append("now: " + "; ".join(told))
        if more := [self._line(e) for e in named if e.id not in ids]:
            lines.append("also: " + "; ".join(more))
        if timers := timers_text(self._clock):
            lines.append(f"timers: {timers}")
        return "\n".join(lines)

    def fact(self, id_: EntityId) -> str:
        """ "kitchen.light on, brightness 40%"."""
        entity = self._house.entities.get(id_)
        stand = "gone" if entity is None else standing(entity, self._house.state(id_))
        return f"{self.directory.id_of(id_)} {stand}".strip()

    def _line(self, entity: Entity) -> str:
        """Of what is not listed: as it would be, and how it stands."""
        stand = standing(entity, self._house.state(entity.id))
        return ", ".join(filter(None, (self.directory.line(entity), stand)))

    def _mentioned(self, utterance: Utterance) -> list[Entity]:
        language = utterance.language[:2]
        if language not in self._mentions:
            if len(self._mentions) >= MOST_KEPT:
                self._mentions.clear()
            things = list(self.directory.things.values())
            self._mentions[language] = Mentions(language, things, self._house.places)
        return self._mentions[language].find(utterance.text)

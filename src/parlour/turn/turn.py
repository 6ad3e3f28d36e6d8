"""What is known of one turn while it runs."""

from dataclasses import dataclass, field

from parlour.events import Speculation
from parlour.ids import TurnId, new_turn_id
from parlour.ports import Place, Utterance
from parlour.turn.latency import Stamps


@dataclass(slots=True)
class Turn:
    """One turn. `carry` are the words of a turn that ended too early, which this one goes on with."""

    place: Place
    language: str
    carry: str = ""
    id: TurnId = field(default_factory=new_turn_id)
    stamps: Stamps = field(default_factory=Stamps)
    transcript: str = ""
    speculation: Speculation = Speculation()

    def text(self, heard: str) -> str:
        """All the words, with what was heard in this turn."""
        return f"{self.carry} {heard}".strip()

    def utterance(self, heard: str) -> Utterance:
        return Utterance(self.id, self.text(heard), self.language, self.place)

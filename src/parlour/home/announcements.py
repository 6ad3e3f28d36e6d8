"""Who announced what: several sources may tell of the same thing, of which one is believed; pure."""

import logging
from collections.abc import Iterable

from parlour.home.definitions import Definition
from parlour.home.entities import Kind

log = logging.getLogger(__name__)

MOST_DEFINITIONS = 10_000  # a hostile device must not fill the memory
MOST_SIBLINGS = 30  # a device of more things has none that it is all about


class Announcements:
    """All definitions by the topic that holds them, and by the thing that they define."""

    def __init__(self) -> None:
        self._by_topic: dict[str, dict[str, Definition]] = {}
        self._by_identity: dict[str, dict[str, Definition]] = {}
        self._of_device: dict[str, dict[str, int]] = {}  # identities and how often
        self._natives: dict[str, int] = {}  # by device, of how many native definitions
        self._count = 0

    @property
    def topics(self) -> frozenset[str]:
        return frozenset(topic for topic, held in self._by_topic.items() if held)

    @property
    def identities(self) -> list[str]:
        return list(self._by_identity)

    def put(self, topic: str, definitions: Iterable[Definition]) -> list[str]:
        """Replace what a topic holds; return the identities of which something changed."""
        old, new = self._by_topic.pop(topic, {}), {each.key: each for each in definitions}
        room = MOST_DEFINITIONS - self._count + len(old)
        if len(new) > room:
            log.warning("more than %d things were announced: ignored some", MOST_DEFINITIONS)
            new = dict(list(new.items())[: max(0, room)])
        touched: dict[str, None] = {}
        for key, definition in old.items():
            if new.get(key) != definition:
                touched |= self._remove(definition)
        for key, definition in new.items():
            if old.get(key) != definition:
                touched |= self._add(definition)
        self._count += len(new) - len(old)
        if new:
            self._by_topic[topic] = new
        return list(touched)

    def choose(self, identity: str) -> Definition | None:
        """The definition that is believed: the device's own format, else its device message."""
        # By key, for who is believed must not hang on who came first.
        known = [each for _, each in sorted(self._by_identity.get(identity, {}).items())]
        natives = [each for each in known if each.is_native]
        if natives:
            return natives[0]
        # A bridge that lists its devices itself lists all that is worth a word, save their scenes.
        others = [
            each for each in known if each.device not in self._natives or each.kind is Kind.SCENE
        ]
        return next((each for each in others if "#" in each.key), others[0] if others else None)

    def area_of(self, definition: Definition) -> str | None:
        """Its area, or that which another source names for the same device."""
        if definition.area is not None or not definition.device:
            return definition.area
        named = (
            (each.key, each.area)
            for identity in self._of_device.get(definition.device, ())
            for each in self._by_identity[identity].values()
            if each.area is not None
        )
        return min(named, default=("", None))[1]

    def class_of(self, definition: Definition) -> str:
        """Its device class. What somebody wrote for Home Assistant is better than a guess: of a
        contact its maker does not know whether it hangs on a window."""
        known = sorted(self._by_identity.get(definition.identity, {}).items())
        written = [each.text("device_class") for _, each in known if not each.is_native]
        return next(filter(None, written), definition.text("device_class"))

    def name_of(self, definition: Definition) -> str:
        """Its name; the device's own for that reading which is all that the device is about, so
        that the contact on the kitchen window is called as the window."""
        held = self._of_device.get(definition.device, {})
        if not definition.plain or not held or len(held) > MOST_SIBLINGS:
            return definition.name
        others = (self.choose(each) for each in held if each != definition.identity)
        has_rival = any(each is not None and _rivals(each, definition) for each in others)
        return definition.name if has_rival else definition.plain

    def _add(self, definition: Definition) -> dict[str, None]:
        self._by_identity.setdefault(definition.identity, {})[definition.key] = definition
        device = definition.device
        if not device:
            return {definition.identity: None}
        held = self._of_device.setdefault(device, {})
        held[definition.identity] = held.get(definition.identity, 0) + 1
        if definition.is_native:
            self._natives[device] = self._natives.get(device, 0) + 1
        return self._touched(definition)

    def _remove(self, definition: Definition) -> dict[str, None]:
        touched = self._touched(definition)
        known = self._by_identity[definition.identity]
        del known[definition.key]
        if not known:
            del self._by_identity[definition.identity]
        if device := definition.device:
            _decrease(self._of_device[device], definition.identity)
            if not self._of_device[device]:
                del self._of_device[device]
            if definition.is_native:
                _decrease(self._natives, device)
        return touched

    def _touched(self, definition: Definition) -> dict[str, None]:
        # What is believed of a device's other things, how they are called and where they stand
        # may hang on this one.
        held = self._of_device.get(definition.device, {})
        is_near = definition.is_native or len(held) <= MOST_SIBLINGS + 1
        others = [
            identity
            for identity in held
            if is_near or (definition.area and self._lacks_area(identity))
        ]
        return dict.fromkeys([definition.identity, *others])

    def _lacks_area(self, identity: str) -> bool:
        return any(each.area is None for each in self._by_identity[identity].values())


def _rivals(other: Definition, reading: Definition) -> bool:
    """Whether a device that has the `other` thing is not all about the `reading`."""
    if other.text("device_class") == "battery" or other.kind is Kind.SCENE:
        return False
    return other.kind is not Kind.SENSOR or reading.kind is Kind.SENSOR


def _decrease(counts: dict[str, int], key: str) -> None:
    counts[key] -= 1
    if not counts[key]:
        del counts[key]

"""What may be done by voice: risk tiers, the owner's rules, and what is asked back first.

This stands between what was understood and what is done, whoever understood it: the grammar, or
a language model with a tool. Nothing that a device calls itself or reports can change it.
"""

import hmac
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from unicodedata import decimal

from parlour.home.entities import Command, Entity, House, Kind, Verb
from parlour.home.language import Language, load
from parlour.home.words import Word
from parlour.ids import DeviceId, EntityId, TurnId
from parlour.ports import Place

WRITING = "writing"  # who asks over HTTP
CONFIRM_S = 20.0  # so long a question may be answered
MOST_WAITING = 100  # questions, one a device
LONGEST_PIN = 12  # digits
LONGEST_ANSWER = 12  # words


class Permit(StrEnum):
    ALLOW = "allow"
    CONFIRM = "confirm"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the owner's policy. Each part "*" fits everything; patterns are as for files."""

    permit: Permit
    who: str = "*"  # the id of a device, an area, or WRITING
    target: str = "*"  # an entity id, as in "hall.*"
    verb: str = "*"  # as in entities.Verb


@dataclass(frozen=True, slots=True)
class Policy:
    """Of several rules that fit, deny wins, then confirm; where none fits, the tier decides."""

    rules: Sequence[Rule] = ()
    risky: Permit = Permit.DENY  # what becomes of tier 3
    pin: str = field(default="", repr=False)  # digits to be spoken instead of a yes; "": a yes

    def permit(self, entity: Entity, command: Command, place: Place) -> Permit:
        fitting = {rule.permit for rule in self.rules if _fits(rule, command, place)}
        for permit in (Permit.DENY, Permit.CONFIRM, Permit.ALLOW):
            if permit in fitting:
                return permit
        return self.risky if tier(entity, command.verb) >= 3 else Permit.ALLOW


def tier(entity: Entity, verb: Verb) -> int:
    """0 nothing can happen, 1 lights and the like, 2 may annoy, 3 may let somebody in or harm.

    The owner's own tier of a thing counts for whatever opens it or turns it on.
    """
    is_opening = verb in _OPENING
    if entity.risk is not None:
        return entity.risk if is_opening else min(entity.risk, 2)
    match entity.kind:
        case Kind.LOCK:
            return 3 if verb is Verb.UNLOCK else 2
        case Kind.COVER if entity.device_class in ("garage", "gate", "door"):
            return 3 if is_opening else 2
        case Kind.VALVE:
            return 3 if is_opening else 2
        case Kind.COVER | Kind.CLIMATE | Kind.SIREN:
            return 2
        case Kind.SENSOR | Kind.BINARY_SENSOR | Kind.DEVICE_TRACKER:
            return 0
        case _:
            return 1


_OPENING = frozenset(
    {Verb.OPEN, Verb.UNLOCK, Verb.ON, Verb.TOGGLE, Verb.START, Verb.ACTIVATE, Verb.SET_POSITION}
)


def _fits(rule: Rule, command: Command, place: Place) -> bool:
    # Whoever writes names the conversation himself, so no rule may rest on it.
    speaker = place.device.casefold()
    speaker = WRITING if speaker.startswith(f"{WRITING}:") else speaker
    who = {speaker, (place.area or "").casefold()}
    return (
        (rule.who == "*" or rule.who.casefold() in who)
        and fnmatchcase(command.target, rule.target)
        and rule.verb in ("*", command.verb.value)
    )


@dataclass(frozen=True, slots=True)
class Permitted:
    """Commands by what may become of them."""

    allowed: Sequence[Command]
    held: Sequence[Command]  # to be confirmed first
    denied: Sequence[Command]


def sift(policy: Policy, commands: Sequence[Command], house: House, place: Place) -> Permitted:
    by: Mapping[Permit, list[Command]] = {permit: [] for permit in Permit}
    for command in commands:
        entity = house.entities.get(EntityId(command.target))
        if entity is not None:
            by[policy.permit(entity, command, place)].append(command)
    return Permitted(by[Permit.ALLOW], by[Permit.CONFIRM], by[Permit.DENY])


# ---------------------------------------------------------------- asked back


@dataclass(frozen=True, slots=True)
class Held:
    """Commands that wait for a yes: exactly these, from the device that asked, for a while."""

    commands: Sequence[Command]
    turn: TurnId
    ends_s: float


class Answer(StrEnum):
    YES = "yes"
    NO = "no"
    WRONG = "wrong"  # a PIN that is not the one
    OTHER = "other"  # about something else


class Questions:
    """What was asked back and not answered yet: one question a device."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._held: dict[DeviceId, Held] = {}

    @property
    def wants_pin(self) -> bool:
        return bool(self._policy.pin)

    def ask(
        self, device: DeviceId, commands: Sequence[Command], turn: TurnId, now_s: float
    ) -> None:
        """Replaces what that device was asked before."""
        for other in [d for d, held in self._held.items() if held.ends_s <= now_s]:
            del self._held[other]
        self._held.pop(device, None)
        if len(self._held) < MOST_WAITING:
            self._held[device] = Held(commands, turn, now_s + CONFIRM_S)

    def waiting(self, device: DeviceId, now_s: float) -> Held | None:
        held = self._held.get(device)
        return held if held is not None and now_s < held.ends_s else None

    def drop(self, device: DeviceId) -> None:
        self._held.pop(device, None)

    def judge(self, text: str, language: str) -> Answer:
        """Whether a text is a yes, by the fixed list of the language, or the PIN, or a no."""
        known = load(language)
        if _says(text, known.no, known, or_else=known.yes):  # who says both does not mean yes
            return Answer.NO
        if self._policy.pin:
            digits = spoken_digits(text, language)
            if not digits:
                return Answer.OTHER
            is_right = hmac.compare_digest(digits.encode(), self._policy.pin.encode())
            return Answer.YES if is_right else Answer.WRONG
        return Answer.YES if _says(text, known.yes, known) else Answer.OTHER


def _says(
    text: str, phrases: Collection[str], known: Language, or_else: Collection[str] = ()
) -> bool:
    """Whether a text is one of the phrases, and politeness, which "ja" may be too."""
    words = known.orthography.words(text)
    if len(words) > LONGEST_ANSWER:
        return False
    for start in range(len(words)):
        for end in range(start + 1, len(words) + 1):
            if " ".join(word.key for word in words[start:end]) in phrases:
                rest = [*words[:start], *words[end:]]
                other = " ".join(word.key for word in rest)
                if other in or_else or not known.polite.strip(rest):
                    return True
    return False


def spoken_digits(text: str, language: str) -> str:
    """The digits of "one two three four", "12 34" or "zwölf vierunddreißig"; "" if there is more."""
    known = load(language)
    words = known.orthography.words(text)
    # "Oh" is a nought as well as an interjection.
    digits = _digits(words, known) or _digits(known.polite.strip(words), known)
    return digits[: LONGEST_PIN + 1]


def _digits(words: Sequence[Word], known: Language) -> str:
    digits, at = "", 0
    while at < len(words) and len(digits) <= LONGEST_PIN:
        read = known.numerals.read(words, at)
        if not read or read[-1].value != int(read[-1].value):
            return ""
        written = words[at].text
        if written.isdecimal():  # with the noughts in front, in any script
            digits += "".join(str(decimal(each)) for each in written)
        else:
            digits += str(int(read[-1].value))
        at = read[-1].end
    return digits

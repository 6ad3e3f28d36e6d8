"""The phrases of a language, filled in: number, gender, lists of names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from parlour.home.entities import Entity, Kind
from parlour.home.language import read_yaml
from parlour.home.numbers import in_words

MOST_NAMED = 3  # things in a list; more cannot be kept in mind


@dataclass(frozen=True, slots=True)
class Wording:
    """How one language says things; the texts are in `phrases/<language>.yaml`."""

    language: str
    texts: Mapping[str, Any]

    def say(self, phrase: str, things: Sequence[Entity] = (), **values: object) -> str:
        """A phrase by its key, "reasons.gone", with {names} and the like filled in; no full stop."""
        return self.fill(self.find(phrase), things, **values)

    def find(self, phrase: str) -> Any:
        at: Any = self.texts
        for part in phrase.split("."):
            if not isinstance(at, Mapping) or part not in at:
                return at.get("other") if isinstance(at, Mapping) else None
            at = at[part]
        return at

    def fill(self, text: Any, things: Sequence[Entity] = (), **values: object) -> str:
        is_one = len(things) == 1 and not self.is_plural(things[0])
        number = "one" if is_one else "many"
        gender = self.gender(things)
        if isinstance(text, Mapping):
            text = self._form(text, number, gender)
        words = self.texts["words"]
        forms = {name: self._form(each, number, gender) for name, each in words.items()}
        given = {"names": self.names(things), **forms, **values}
        return str(text).format(**given)

    def _form(self, forms: Mapping[str, str] | str, number: str, gender: str) -> str:
        if isinstance(forms, str):
            return forms
        for key in (f"{number}_{gender}", number if number == "many" else gender, number, gender):
            if key in forms:
                return forms[key]
        return next(iter(forms.values()))

    def sentence(self, text: str) -> str:
        """With a capital letter and its full stop."""
        text = text.strip()
        if not text:
            return ""
        ended = text if text[-1] in ".?!।" else f"{text}{self.texts.get('stop', '.')}"
        return ended[0].upper() + ended[1:]

    def names(self, things: Sequence[Entity], joined: str = "and") -> str:
        """ "the lamp, the fan and the blinds"; of many, how many more there are."""
        names = [self.name(e) for e in things[:MOST_NAMED]]
        if len(set(names)) < len(names):  # told apart by where they stand
            names = [self._with_area(e) if e.area else self.name(e) for e in things[:MOST_NAMED]]
        named = [
            name if e.kind is Kind.DEVICE_TRACKER else str(self.texts["the"]).format(name=name)
            for name, e in zip(names, things, strict=False)
        ]
        if len(things) > MOST_NAMED:
            count = self.count(len(things) - MOST_NAMED)
            named.append(str(self.texts["more"]).format(count=count))
        return self.joined(named, joined)

    def joined(self, parts: Sequence[str], joined: str = "and") -> str:
        if len(parts) < 2:
            return "".join(parts)
        return f"{self.texts['comma'].join(parts[:-1])}{self.texts[joined]}{parts[-1]}"

    def name(self, entity: Entity) -> str:
        """What it is called in this language; a single word with its area: "kitchen light"."""
        if entity.kind is Kind.DEVICE_TRACKER:
            return entity.name
        own = entity.aliases.get(self.texts.get("locale", "")) or entity.aliases.get(self.language)
        if own:
            return own[0]
        if self.language != "en":
            has_area = entity.area is None or entity.area.casefold() in entity.name.casefold()
            return entity.name if " " in entity.name or has_area else self._with_area(entity)
        name, area = entity.name.lower(), (entity.area or "").lower()
        return f"{area} {name}" if area and " " not in name.strip() else name

    def _with_area(self, entity: Entity) -> str:
        return str(self.texts["of"]).format(area=entity.area, noun=entity.name)

    def is_plural(self, entity: Entity) -> bool:
        """By the look of the last word: blinds are, a glass or a bus is not."""
        name = self.name(entity).casefold()
        if self.language != "en":
            return name.endswith(tuple(self.texts.get("plurals", ())) or ("\0",))
        return name.endswith("s") and not name.endswith(("ss", "us", "is", "as"))

    def gender(self, things: Sequence[Entity]) -> str:
        genders = self.texts["genders"]
        other = genders.get("other", "m")
        found = {
            genders.get(e.device_class or "", genders.get(e.kind.value, other)) for e in things
        }
        return str(found.pop()) if len(found) == 1 else str(genders.get("mixed", "m"))

    def count(self, number: int) -> str:
        return in_words(number) if self.texts.get("numbers") == "words" else str(number)

    def number(self, value: object) -> str:
        """As it is spoken: halves as "point five", whole numbers plain."""
        if not isinstance(value, int | float) or isinstance(value, bool):
            return str(value)
        return f"{round(float(value), 1):g}".replace(".", str(self.texts["decimal"]))


@cache
def wording(language: str) -> Wording:
    """The phrases of "hi_IN" or "hi"; English ones for a language that has none."""
    code = language[:2]
    own = files("parlour.home").joinpath(f"phrases/{code}.yaml")
    if not own.is_file():
        return wording("en")
    return Wording(code, read_yaml(own.read_text(encoding="utf-8")))

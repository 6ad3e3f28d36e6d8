"""How the voice of the house talks: one file per persona."""

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import yaml

from parlour.errors import ConfigError

DEFAULT = "parlour"
LONGEST_BYTES = 16 * 1024
LANGUAGES = {
    "en": "English",
    "de": "German",
    "hi": "Hindi",
    "ml": "Malayalam",
    "mr": "Marathi",
    "ta": "Tamil",
    "te": "Telugu",
    "bn": "Bengali",
    "gu": "Gujarati",
}
_KEYS = {"name", "style", "rules", "language"}


@dataclass(frozen=True, slots=True)
class Persona:
    """`style` is for the ear, `rules` are about tools; `language` None: that of the speaker."""

    name: str
    style: str
    rules: str
    language: str | None = None

    def text(self, language: str) -> str:
        """The beginning of every prompt in a language, the same byte for byte."""
        code = (self.language or language)[:2]
        spoken = LANGUAGES.get(code, "the language of the speaker")
        parts = (self.style.replace("{language}", spoken).strip(), self.rules.strip())
        return "\n\n".join(filter(None, parts))


def load_persona(name: str | None) -> Persona:
    """One that comes with Parlour, by its name, or the owner's, by the path of its file.

    Raises ConfigError that names what is wrong with the file.
    """
    wanted = name or DEFAULT
    packaged = resources.files(__package__).joinpath("personas", f"{wanted}.yaml")
    if wanted.isidentifier() and packaged.is_file():
        rules = _read(packaged.read_text("utf-8"), wanted)
        return _persona(rules, wanted, rules["rules"])
    path = Path(wanted).expanduser()
    try:
        if path.stat().st_size > LONGEST_BYTES:
            raise ConfigError(f"agent.persona: {path} is larger than {LONGEST_BYTES // 1024} KiB")
        text = path.read_text("utf-8")
    except (OSError, UnicodeError) as error:
        raise ConfigError(
            f"agent.persona: {path} cannot be read; known by name: {DEFAULT}"
        ) from error
    # Who writes how his house talks need not write how tools are called.
    return _persona(_read(text, str(path)), str(path), load_persona(DEFAULT).rules)


def _read(text: str, where: str) -> dict[str, str]:
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"agent.persona: {where} is not YAML") from error
    if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()):
        raise ConfigError(f"agent.persona: {where} must hold texts by the keys {sorted(_KEYS)}")
    if unknown := found.keys() - _KEYS:
        raise ConfigError(f"agent.persona: {where} has an unknown key: {sorted(unknown)[0]}")
    if not found.get("style", "").strip():
        raise ConfigError(f"agent.persona: {where} has no style")
    return found


def _persona(found: dict[str, str], where: str, rules: str) -> Persona:
    name = found.get("name") or Path(where).stem
    return Persona(name, found["style"], found.get("rules", rules), found.get("language"))

"""The owner's `config.yml`: read and checked as a whole, and wrong in one line per mistake."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from parlour.app.configfile import FileValues, KeyPath, Problem, Value, key_text, read_text
from parlour.app.masking import MASK, is_secret, mask_key, mask_urls
from parlour.app.pairs import impossible_pairs
from parlour.app.sections import Config, known_keys, section_at
from parlour.app.values import either
from parlour.errors import ConfigError

FILE_NAME = "config.yml"
VARIABLE = "PARLOUR_CONFIG"
LONGEST_SHOWN = 40  # characters of a wrong value


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration and where it came from. `path` is None for the built-in default."""

    config: Config
    path: Path | None = None
    file: FileValues = field(default_factory=FileValues)

    def source(self, key: KeyPath) -> str:
        """`default`, `file`, or the reference that brought the value: `${VAR}`."""
        if key in self.file.references:
            return self.file.references[key]
        return "file" if key in self.file.lines else "default"


def find(
    given: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    folder: Path | None = None,
) -> Path | None:
    """The file that counts: `given`, then $PARLOUR_CONFIG, then ./config.yml, then none."""
    if given is not None:
        return given
    if environ.get(VARIABLE):
        return Path(environ[VARIABLE])
    here = (folder or Path()) / FILE_NAME
    return here if here.exists() else None


def load(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Config:
    """Read a file, or the built-in default for None. ConfigError holds one line per mistake."""
    return read(path, environ).config


def read(path: Path | None, environ: Mapping[str, str] = os.environ) -> Loaded:
    """As `load`, with where each value came from."""
    if path is None:
        return Loaded(Config())
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text (byte {error.start})") from error
    config, file = parse(text, environ, str(path))
    return Loaded(config, path, file)


def parse(
    text: str, environ: Mapping[str, str], name: str = FILE_NAME
) -> tuple[Config, FileValues]:
    """Check a file's text. All mistakes come at once, in the order of the file's lines."""
    file = read_text(text, environ)
    problems = list(file.problems)
    config, wrong = _validate(file)
    problems += wrong
    bad = {problem.key for problem in problems}
    problems += [
        Problem(pair.key, pair.text)
        for pair in impossible_pairs(config)
        if not any(key[: len(b)] == b or b[: len(key)] == key for key in pair.keys for b in bad)
    ]
    if problems:
        raise ConfigError(_lines(name, problems, file))
    return config, file


def _lines(name: str, problems: Sequence[Problem], file: FileValues) -> str:
    def line(problem: Problem) -> int:
        key = problem.key
        while key and key not in file.lines:
            key = key[:-1]
        return file.lines.get(key, 0)

    return "\n".join(
        ": ".join(filter(None, (name, mask_key(key_text(problem.key)), problem.text)))
        for problem in sorted(problems, key=line)
    )


# ---------------------------------------------------------------- what pydantic found


def _validate(file: FileValues) -> tuple[Config, list[Problem]]:
    """A Config of whatever is right, and what is wrong with the rest."""
    values = _without_empty_sections(file.values)
    problems: list[Problem] = []
    known = {problem.key for problem in file.problems}
    while True:
        try:
            return Config.model_validate(values), problems
        except ValidationError as errors:
            found = errors.errors(include_url=False)
        for error in found:
            key, text = _describe(error, values, file)
            if error["type"] != "missing" or key not in known:
                problems.append(Problem(key, text))
            known.add(key)  # what is taken out below will be missing
        for error in found:
            _remove(values, error["loc"])


def _without_empty_sections(values: Mapping[str, Value]) -> dict[str, Value]:
    """A section whose lines are all commented out reads as null; it is as good as absent."""
    return {key: _copy(value) for key, value in values.items() if value is not None}


def _copy(value: Value) -> Value:
    if isinstance(value, dict):
        return {key: _copy(inner) for key, inner in value.items()}
    return [_copy(inner) for inner in value] if isinstance(value, list) else value


def _remove(values: dict[str, Value], loc: Sequence[str | int]) -> None:
    """Take out the value at `loc`, or the nearest one around it that a mapping holds."""
    holder, key = values, str(loc[0])
    inner: Value = values
    for part in loc:
        if not isinstance(inner, dict) or part not in inner:
            break
        holder, key = inner, str(part)
        inner = inner[key]
    holder.pop(key, None)


def _describe(
    error: ErrorDetails, values: Mapping[str, Value], file: FileValues
) -> tuple[KeyPath, str]:
    loc = tuple(part for part in error["loc"] if part != "[key]")
    match error["type"]:
        case "value_error":
            text = str(error["ctx"]["error"])
        case "extra_forbidden":
            return loc, _unknown(loc)
        case "missing":
            return loc, "is missing"
        case "model_type" | "model_attributes_type" | "dict_type":
            text = "must be a section of `key: value` lines"
            if isinstance(values.get(str(loc[0])), str) and len(loc) == 1:
                return loc, text  # perhaps a key, in the place of the section that holds it
        case "list_type":
            text = "must be a list, such as [a, b]"
        case "too_short":
            return loc, "must not be empty"
        case _:
            text = error["msg"][:1].lower() + error["msg"][1:]
    # A URL that is wrong may have its password anywhere; of a key there is no more to show.
    if "url" in loc or "[key]" in error["loc"]:
        return loc, text
    return loc, f"{text} (is {_shown(loc, values, file)})"


def _unknown(loc: KeyPath) -> str:
    *section, key = loc
    known = list(section_at(section).model_fields)
    close = get_close_matches(str(key), known, n=1)
    elsewhere = [key_text(path) for path in known_keys() if path[-1] == key]
    if close:
        return f"unknown key; did you mean {key_text((*section, close[0]))}?"
    if elsewhere:
        return f"unknown key here; did you mean {either(elsewhere)}?"
    return f"unknown key; there is {', '.join(known)}"


def _shown(loc: KeyPath, values: Mapping[str, Value], file: FileValues) -> str:
    """A value as an error may show it: short, and neither a secret nor the environment's."""
    if loc in file.references:
        return file.references[loc]
    if any(is_secret(str(part)) for part in loc):
        return MASK
    value: Value | Mapping[str, Value] = values
    for part in loc:
        if isinstance(value, Mapping) and isinstance(part, str):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int):
            value = value[part]
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case str():
            shown = mask_urls(value)
            return repr(shown if len(shown) <= LONGEST_SHOWN else shown[:LONGEST_SHOWN] + "…")
        case list():
            return "a list"
        case Mapping():
            return "a section"
        case _:
            return f"{value}"

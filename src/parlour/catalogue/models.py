"""The files of which models consist: where they come from and how they are known to be whole."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache

from parlour.catalogue.facts import licence_of, model_tables
from parlour.catalogue.piper import piper_files, piper_source, piper_voices
from parlour.errors import InputError
from parlour.traits import Licence


@dataclass(frozen=True, slots=True)
class ModelFile:
    """`name` is the path inside the model's folder. What nobody publishes is None or ""."""

    name: str
    url: str
    size_bytes: int | None = None
    md5: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Model:
    id: str  # "piper/hi_IN-pratham-medium": its folder, too
    files: tuple[ModelFile, ...]
    languages: tuple[str, ...] = ()
    revision: str = ""
    licence: Licence = field(default_factory=Licence)
    source: str = ""

    @property
    def size_bytes(self) -> int | None:
        """In all; None if that of a file is not known."""
        sizes = [file.size_bytes for file in self.files]
        return None if None in sizes else sum(size for size in sizes if size is not None)


@cache
def models() -> Mapping[str, Model]:
    """Every model that can be fetched, by its id."""
    return {model.id: model for model in (*_from_tables(), *_of_piper())}


def find(model_id: str) -> Model:
    """Raises InputError, which names those that come close."""
    known = models()
    if model_id in known:
        return known[model_id]
    last = model_id.rpartition("/")[2]
    close = [known_id for known_id in known if known_id.endswith(f"/{last}")]
    close = close or get_close_matches(model_id, known, n=3)
    hint = f"did you mean {' or '.join(close)}?" if close else "`parlour models list` names all"
    raise InputError(f"there is no model {model_id}; {hint}")


def _from_tables() -> Iterator[Model]:
    for model_id, table in model_tables():
        yield Model(
            model_id,
            tuple(
                ModelFile(
                    file["name"],
                    file.get("url", ""),
                    file.get("size_bytes"),
                    file.get("md5", ""),
                    file.get("sha256", ""),
                )
                for file in table["files"]
            ),
            tuple(table.get("languages", ())),
            table.get("revision", ""),
            licence_of(table),
            table.get("source", ""),
        )


def _of_piper() -> Iterator[Model]:
    for voice in piper_voices():
        base, revision, files = piper_files(voice.id)
        yield Model(
            voice.download,
            tuple(
                ModelFile(path.rpartition("/")[2], f"{base}/{path}", size, md5)
                for path, size, md5 in files
            ),
            tuple(voice.languages),
            revision,
            voice.licence,
            piper_source(),
        )

"""Where models lie on this machine, whether they are whole, and what was pulled."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from parlour.catalogue.models import Model, ModelFile

MANIFEST = "parlour.json"  # in a model's folder: the SHA-256 of each file as first pulled
PART = ".part"  # of a file that is not whole yet
BLOCK_BYTES = 1 << 20


def data_home(environ: Mapping[str, str] = os.environ) -> Path:
    """$XDG_DATA_HOME/parlour, as the XDG base directory specification has it."""
    data = environ.get("XDG_DATA_HOME") or str(Path(environ.get("HOME", "~")) / ".local/share")
    return Path(data).expanduser() / "parlour"


def default_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where models lie if nobody says otherwise."""
    return data_home(environ) / "models"


class Presence(StrEnum):
    HERE = "here"
    PARTLY = "partly here"
    ABSENT = "not here"


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a file of a model."""

    name: str
    reason: str


class ModelFolder:
    """All models of this machine, one folder each."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, model_id: str) -> Path:
        return self.root / model_id

    def presence(self, model: Model) -> Presence:
        """Whether its files are there in their right sizes; they are not read."""
        folder = self.path(model.id)
        whole = [_has_size(folder / file.name, file) for file in model.files]
        if all(whole):
            return Presence.HERE
        started = any(whole) or any(folder.glob(f"**/*{PART}"))
        return Presence.PARTLY if started else Presence.ABSENT

    def present(self) -> Iterator[str]:
        """The ids of all that lies here, known to the catalogue or not."""
        for manifest in sorted(self.root.glob(f"*/*/{MANIFEST}")):
            yield str(manifest.parent.relative_to(self.root))

    def pinned(self, model_id: str) -> dict[str, str]:
        """The SHA-256 of each file, as it was when it was first pulled and found right."""
        try:
            read = json.loads((self.path(model_id) / MANIFEST).read_text("utf-8"))
            return {str(name): str(digest) for name, digest in read["sha256"].items()}
        except (OSError, ValueError, KeyError, AttributeError, TypeError):
            return {}

    def pin(self, model: Model, digests: Mapping[str, str]) -> None:
        """Note the digests of a pull, in one step."""
        path = self.path(model.id) / MANIFEST
        part = path.with_name(path.name + PART)
        noted = {"id": model.id, "revision": model.revision, "sha256": dict(digests)}
        part.write_text(json.dumps(noted, indent=1), "utf-8")
        part.replace(path)

    def verify(self, model: Model) -> list[Flaw]:
        """Read every file and compare it with what was published and what was pinned."""
        pinned = self.pinned(model.id)
        found = [check(self.path(model.id) / f.name, f, pinned.get(f.name)) for f in model.files]
        return [flaw for flaw in found if flaw is not None]

    def remove(self, model_id: str) -> int:
        """Delete a model; returns how many bytes that freed, 0 if it was not here."""
        folder = self.path(model_id)
        if not folder.is_dir():
            return 0
        freed = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        shutil.rmtree(folder)
        return freed


def check(path: Path, file: ModelFile, pinned: str | None = None) -> Flaw | None:
    """Compare one file with its size and digests. Reads all of it."""
    if not path.is_file():
        return Flaw(file.name, "is missing")
    size = path.stat().st_size
    if file.size_bytes is not None and size != file.size_bytes:
        return Flaw(file.name, f"has {size:,} bytes instead of {file.size_bytes:,}")
    md5, sha256 = digests(path)
    if file.md5 and md5 != file.md5:
        return Flaw(file.name, "is altered (its MD5 is not the published one)")
    if file.sha256 and sha256 != file.sha256:
        return Flaw(file.name, "is altered (its SHA-256 is not the published one)")
    if pinned and sha256 != pinned:
        return Flaw(file.name, "is altered (its SHA-256 is not that of the first pull)")
    return None


def digests(path: Path) -> tuple[str, str]:
    """The MD5, by which Piper's voices are published, and the SHA-256 of a file."""
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    with path.open("rb") as opened:
        while block := opened.read(BLOCK_BYTES):
            md5.update(block)
            sha256.update(block)
    return md5.hexdigest(), sha256.hexdigest()


def _has_size(path: Path, file: ModelFile) -> bool:
    try:
        size = path.stat().st_size
    except OSError:
        return False
    return size == file.size_bytes if file.size_bytes is not None else size > 0

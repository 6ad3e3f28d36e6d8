"""Fetches the files of models: resumed where they broke off, checked, and put in place at once."""

import errno
import fcntl
import hashlib
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from urllib.parse import quote, unquote, urlparse

import httpx

from parlour.catalogue.folder import BLOCK_BYTES, PART, ModelFolder, check
from parlour.catalogue.models import Model, ModelFile
from parlour.errors import MissingError

log = logging.getLogger(__name__)

CONNECT_S, READ_S = 10.0, 30.0
TRIES = 4  # of one file; each goes on where the one before broke off
AGAIN_S = 1.0  # before the second; doubled each time
SPARE_BYTES = 200 * 1024 * 1024  # left free on the disk for the rest of the house


@dataclass(frozen=True, slots=True)
class Progress:
    model: str
    file: str
    done: int  # bytes of this file
    size: int | None


Report = Callable[[Progress], None]


class PullError(MissingError):
    """A model could not be fetched; the text says why and what to do."""


class _BrokenOffError(Exception):
    """The connection broke; what came is kept."""


def pull(
    model: Model,
    folder: ModelFolder,
    *,
    mirror: str | None = None,
    report: Report = lambda _: None,
) -> bool:
    """Fetch what is missing of a model; returns whether anything was. Raises PullError.

    Interrupted, it keeps what came; the next pull goes on there. `mirror` is another machine's
    model folder, by http, https or file.
    """
    target = folder.path(model.id)
    _refuse_without_source(model, mirror)
    try:
        target.mkdir(parents=True, exist_ok=True)
        with _alone(target):
            return _pull(model, folder, mirror, report)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise PullError(
                f"{model.id}: the disk is full; free some, or set models.folder to another disk"
            ) from error
        raise PullError(f"{model.id}: {target}: {error.strerror or error}") from error


def _pull(model: Model, folder: ModelFolder, mirror: str | None, report: Report) -> bool:
    target, pinned = folder.path(model.id), folder.pinned(model.id)
    missing = [f for f in model.files if check(target / f.name, f, pinned.get(f.name)) is not None]
    digests = dict(pinned)
    _refuse_without_room(model, missing, target)
    for file in missing:
        path = target / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        source = f"{mirror}/{model.id}/{quote(file.name)}" if mirror else file.url
        part = path.with_name(path.name + PART)
        _fetch(model, file, source, part, report)
        wrong = check(part, file, pinned.get(file.name))
        if wrong is not None:
            part.unlink()
            raise PullError(
                f"{model.id}: {file.name} {wrong.reason}; nothing was put in place."
                f" Try again, or another source: {_host(source)} may hold other files than the"
                " catalogue knows"
            )
        digests[file.name] = _sha256(part)
        part.replace(path)
    for file in model.files:
        if file.name not in digests:
            digests[file.name] = _sha256(target / file.name)
    folder.pin(model, {file.name: digests[file.name] for file in model.files})
    return bool(missing)


def _fetch(model: Model, file: ModelFile, source: str, part: Path, report: Report) -> None:
    wait_s = AGAIN_S
    for left in reversed(range(TRIES)):
        try:
            copy = _copy_file if source.startswith("file:") else _copy_http
            for done, size in copy(source, part):
                known = file.size_bytes or size
                if known is not None and done > known:
                    part.unlink()
                    raise PullError(f"{model.id}: {file.name} is longer than {known:,} bytes")
                report(Progress(model.id, file.name, done, known))
        except _BrokenOffError as error:
            if not left:
                raise PullError(
                    f"{model.id}: {_host(source)} breaks off again and again ({error});"
                    " what came is kept, pull again to go on"
                ) from error
            log.info("%s breaks off, again in %.0f s: %s", _host(source), wait_s, error)
            sleep(wait_s)
            wait_s *= 2
        else:
            return


def _copy_http(source: str, part: Path) -> Iterator[tuple[int, int | None]]:
    done = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={done}-", "Accept-Encoding": "identity"} if done else {}
    timeout = httpx.Timeout(READ_S, connect=CONNECT_S)
    try:
        with httpx.stream(
            "GET", source, headers=headers, timeout=timeout, follow_redirects=True
        ) as answer:
            if answer.status_code == 416:  # it is whole already, or longer than it should be
                yield done, done
                return
            if answer.is_error:
                raise _refused(source, answer.status_code)
            if answer.headers.get("content-type", "").startswith("text/html"):
                raise PullError(
                    f"{_host(source)} answers with a web page instead of a file;"
                    " is there a login or a proxy in between?"
                )
            resumed = answer.status_code == 206
            done = done if resumed else 0
            length = answer.headers.get("content-length")
            size = done + int(length) if length and length.isdigit() else None
            with part.open("ab" if resumed else "wb") as opened:
                for block in answer.iter_bytes():  # as it comes: what is whole is kept
                    opened.write(block)
                    done += len(block)
                    yield done, size
                os.fsync(opened.fileno())
            if size is not None and done < size:
                raise _BrokenOffError(f"after {done:,} of {size:,} bytes")
    except httpx.ConnectError as error:
        if "CERTIFICATE" in str(error).upper() or "SSL" in str(error):
            raise PullError(f"{_host(source)} does not speak TLS as it should: {error}") from error
        raise _BrokenOffError("nobody answers") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _BrokenOffError(type(error).__name__) from error


def _copy_file(source: str, part: Path) -> Iterator[tuple[int, int | None]]:
    path = Path(unquote(urlparse(source).path))
    if not path.is_file():
        raise PullError(
            f"{path} is not there; a mirror is a copy of another machine's model folder"
        )
    size = path.stat().st_size
    done = part.stat().st_size if part.exists() else 0
    if done > size:
        done = 0
    with path.open("rb") as read, part.open("ab" if done else "wb") as opened:
        read.seek(done)
        while block := read.read(BLOCK_BYTES):
            opened.write(block)
            done += len(block)
            yield done, size
        os.fsync(opened.fileno())
    yield done, size


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Two pulls of one model at once would write into the same part."""
    with (target / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise PullError(f"{target.name} is being pulled already") from error
        try:
            yield
        finally:
            (target / ".lock").unlink(missing_ok=True)


def _refuse_without_source(model: Model, mirror: str | None) -> None:
    if mirror is None and any(not file.url for file in model.files):
        raise PullError(f"{model.id} has no address to be pulled from; use --mirror")


def _refuse_without_room(model: Model, missing: list[ModelFile], target: Path) -> None:
    wanted = sum(file.size_bytes or 0 for file in missing)
    here = sum(path.stat().st_size for path in target.rglob(f"*{PART}"))
    free = shutil.disk_usage(target).free
    if wanted and wanted - here + SPARE_BYTES > free:
        raise PullError(
            f"{model.id} needs {size_text(wanted - here)}, and {target} has {size_text(free)} free"
            f" ({size_text(SPARE_BYTES)} of it are kept); set models.folder to another disk"
        )


def _refused(source: str, status: int) -> Exception:
    if status >= 500 or status in (408, 429):
        return _BrokenOffError(f"it answers {status}")
    return PullError(
        f"{_host(source)} answers {status} for {source.rpartition('/')[2]};"
        " it may have moved: use --mirror with a machine that has it"
    )


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as opened:
        while block := opened.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _host(source: str) -> str:
    parts = urlparse(source)
    return parts.netloc or parts.path


def size_text(size: int | None) -> str:
    """As people say it: 63 MB."""
    if size is None:
        return "?"
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return (
                f"{size / factor:.1f} {unit}"
                if size < 10 * factor
                else f"{size / factor:.0f} {unit}"
            )
    return f"{size} B"

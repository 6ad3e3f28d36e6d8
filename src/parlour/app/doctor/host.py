"""What the machine brings: its Python, cores, libraries, folders and ports."""

import os
import shutil
import socket
import sys
from collections.abc import Iterator

from parlour.app.clock import data_folder
from parlour.app.doctor.findings import Finding, Verdict
from parlour.app.engines import model_folder
from parlour.app.pull import size_text
from parlour.app.sections import Config
from parlour.errors import ParlourError
from parlour.home.store import FILE
from parlour.opus import find_libopus

LEAST_FREE_BYTES = 500 * 1024 * 1024
LEAST_FILES = 1024  # open at once: each device and engine takes some


def check_host(config: Config) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", Verdict.OK, version)
    cores = os.cpu_count() or 1
    few = "set stt.threads and tts.threads to 1, and keep to the embedded engines"
    yield Finding(
        "cores", Verdict.OK if cores > 1 else Verdict.WARN, str(cores), "" if cores > 1 else few
    )
    try:
        find_libopus()
        yield Finding("libopus", Verdict.OK, "found")
    except ParlourError as error:
        yield Finding("libopus", Verdict.BAD, str(error), "sudo apt-get install libopus0")
    folder = model_folder(config).root
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    enough = free >= LEAST_FREE_BYTES
    yield Finding(
        "disk",
        Verdict.OK if enough else Verdict.WARN,
        f"{size_text(free)} free for models in {folder}",
        "" if enough else "free some, or set models.folder",
    )
    writable = os.access(there, os.W_OK)
    if not writable:
        yield Finding("models", Verdict.BAD, f"{there} cannot be written", f"chown {there} to you")
    yield _data(config)
    yield _open_files()


def _data(config: Config) -> Finding:
    """Where timers, alarms and what was decided about devices are kept."""
    folder = data_folder(config)
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir():
        return Finding("data", Verdict.BAD, f"{there} is no folder", "set data.folder")
    if not os.access(there, os.W_OK | os.X_OK):
        mend = f"chown {there} to you, or set data.folder"
        return Finding("data", Verdict.BAD, f"{there} cannot be written", mend)
    file = folder / FILE
    if file.exists() and not os.access(file, os.R_OK | os.W_OK):
        return Finding("data", Verdict.BAD, f"{file} cannot be written", f"chown {file} to you")
    return Finding("data", Verdict.OK, f"{folder} can be written")


def _open_files() -> Finding:
    import resource  # noqa: PLC0415  # there is none on Windows

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    few = soft < LEAST_FILES
    return Finding(
        "open files",
        Verdict.WARN if few else Verdict.OK,
        str(soft),
        "ulimit -n 4096" if few else "",
    )


def check_port(config: Config) -> Finding:
    host, port = config.server.host, config.server.port
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        return Finding(
            "port",
            Verdict.WARN,
            f"{host}:{port} cannot be listened on: {error.strerror or error}",
            "is Parlour running already? else set server.port",
        )
    open_to_all = host not in ("127.0.0.1", "::1", "localhost")
    return Finding(
        "port",
        Verdict.WARN if open_to_all else Verdict.OK,
        f"{host}:{port} is free" + ("; everybody in the network can talk to it" * open_to_all),
    )

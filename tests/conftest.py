"""What every test shares."""

import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from parlour.audio import Pcm, read_wav


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"debug": True}


@pytest.fixture(scope="session")
def speak(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Pcm]:
    """Real speech at 16 kHz, made by flite's voice slt and kept for the session."""
    folder = tmp_path_factory.mktemp("speech")

    @cache
    def speak(text: str) -> Pcm:
        target = Path(folder, f"{len(list(folder.iterdir()))}.wav")
        subprocess.run(["flite", "-voice", "slt", "-t", text, "-o", target], check=True)
        return read_wav(target)

    return speak

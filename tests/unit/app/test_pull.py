"""Models are fetched: resumed, checked, and put in place at once or not at all."""

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from parlour.app import pull as pulling
from parlour.app.models import fetch_missing, missing, needed, pull_models, verify_models
from parlour.app.pull import Progress, PullError, pull
from parlour.app.sections import Config, Models, Stt, Tts
from parlour.catalogue.folder import PART, ModelFolder, Presence, default_folder
from parlour.catalogue.models import Model, ModelFile, find, models
from parlour.errors import InputError

DATA = bytes(range(256)) * 4000  # a megabyte


@dataclass
class Shelf:
    """What a small HTTP server has, and how it misbehaves."""

    files: dict[str, bytes] = field(default_factory=dict)
    breaks_after: list[int] = field(default_factory=list)  # bytes, of one answer after another
    status: int = 0
    html: bool = False
    ranges: list[str] = field(default_factory=list)
    no_ranges: bool = False
    url: str = ""


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    state = Shelf()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the library's name
            data = state.files.get(self.path)
            if state.status or data is None:
                self.send_error(state.status or 404)
                return
            asked = self.headers.get("Range", "")
            state.ranges.append(asked)
            start = 0
            if asked and not state.no_ranges:
                start = int(asked.removeprefix("bytes=").rstrip("-"))
                if start >= len(data):
                    self.send_error(416)
                    return
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(data) - start))
            self.send_header(
                "Content-Type", "text/html" if state.html else "application/octet-stream"
            )
            self.end_headers()
            body = data[start:]
            if state.breaks_after:
                body = body[: state.breaks_after.pop(0)]
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulling, "AGAIN_S", 0.01)


def _model(shelf: Shelf, data: bytes = DATA, **facts: Any) -> Model:
    shelf.files["/big.onnx"] = data
    shelf.files["/small.json"] = b"{}"
    known: dict[str, Any] = {"size_bytes": len(DATA), "md5": hashlib.md5(DATA).hexdigest()} | facts
    return Model(
        "piper/x",
        (
            ModelFile("x.onnx", f"{shelf.url}/big.onnx", **known),
            ModelFile("x.onnx.json", f"{shelf.url}/small.json"),
        ),
    )


def test_a_model_is_fetched_checked_and_pinned(shelf: Shelf, tmp_path: Path) -> None:
    folder, model = ModelFolder(tmp_path), _model(shelf)
    seen: list[Progress] = []
    assert folder.presence(model) is Presence.ABSENT
    assert pull(model, folder, report=seen.append) is True
    assert folder.presence(model) is Presence.HERE
    assert (tmp_path / "piper/x/x.onnx").read_bytes() == DATA
    assert folder.pinned("piper/x")["x.onnx"] == hashlib.sha256(DATA).hexdigest()
    assert folder.verify(model) == []
    assert seen[-2].done <= len(DATA)
    assert not list(tmp_path.rglob(f"*{PART}"))
    assert pull(model, folder) is False  # a second time there is nothing to do


def test_what_broke_off_is_resumed_where_it_broke(shelf: Shelf, tmp_path: Path) -> None:
    shelf.breaks_after = [300_000, 200_000]
    assert pull(_model(shelf), ModelFolder(tmp_path))
    assert shelf.ranges[:3] == ["", "bytes=300000-", "bytes=500000-"]
    assert (tmp_path / "piper/x/x.onnx").read_bytes() == DATA


def test_a_pull_that_was_given_up_goes_on_at_the_next(shelf: Shelf, tmp_path: Path) -> None:
    shelf.breaks_after = [100_000] * 4
    folder, model = ModelFolder(tmp_path), _model(shelf)
    with pytest.raises(PullError, match="what came is kept"):
        pull(model, folder)
    assert folder.presence(model) is Presence.PARTLY
    assert pull(model, folder)
    assert shelf.ranges[4] == "bytes=400000-"
    assert folder.verify(model) == []


def test_a_server_that_cannot_resume_is_asked_for_all(shelf: Shelf, tmp_path: Path) -> None:
    shelf.breaks_after, shelf.no_ranges = [300_000], True
    assert pull(_model(shelf), ModelFolder(tmp_path))
    assert (tmp_path / "piper/x/x.onnx").read_bytes() == DATA


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (DATA[:-1] + b"x", "altered"),
        (DATA[:-10], "bytes instead of"),
        (DATA + b"more", "longer than"),
    ],
)
def test_a_file_that_is_not_the_published_one_is_not_put_in_place(
    data: bytes, said: str, shelf: Shelf, tmp_path: Path
) -> None:
    folder, model = ModelFolder(tmp_path), _model(shelf, data)
    with pytest.raises(PullError, match=said):
        pull(model, folder)
    assert not (tmp_path / "piper/x/x.onnx").exists()
    assert not list(tmp_path.rglob(f"*{PART}"))


def test_without_a_published_digest_the_first_pull_is_what_counts(
    shelf: Shelf, tmp_path: Path
) -> None:
    folder, model = ModelFolder(tmp_path), _model(shelf, size_bytes=None, md5="")
    pull(model, folder)
    path = tmp_path / "piper/x/x.onnx"
    path.write_bytes(DATA[:-1] + b"x")
    (flaw,) = folder.verify(model)
    assert flaw.reason == "is altered (its SHA-256 is not that of the first pull)"
    shelf.files["/big.onnx"] = DATA[:-1] + b"y"
    with pytest.raises(PullError, match="first pull"):
        pull(model, folder)


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_a_mirror_is_a_copy_of_another_machines_folder(
    scheme: str, shelf: Shelf, tmp_path: Path
) -> None:
    theirs, ours = ModelFolder(tmp_path / "their models"), ModelFolder(tmp_path / "ours")
    model = _model(shelf)
    pull(model, theirs)
    cut_off = replace(
        model, files=tuple(replace(f, url="http://127.0.0.1:9/x") for f in model.files)
    )
    mirror = theirs.root.as_uri()
    if scheme == "http":
        mirror = f"{shelf.url}/m"
        for path in (theirs.root / "piper/x").iterdir():
            shelf.files[f"/m/piper/x/{path.name}"] = path.read_bytes()
    assert pull(cut_off, ours, mirror=mirror)
    assert ours.verify(model) == []


def test_an_interrupted_copy_from_a_file_mirror_is_resumed(shelf: Shelf, tmp_path: Path) -> None:
    theirs, ours = ModelFolder(tmp_path / "theirs"), ModelFolder(tmp_path / "ours")
    model = _model(shelf)
    pull(model, theirs)
    target = tmp_path / "ours/piper/x"
    target.mkdir(parents=True)
    (target / f"x.onnx{PART}").write_bytes(DATA[:1000])
    seen: list[int] = []
    pull(model, ours, mirror=theirs.root.as_uri(), report=lambda p: seen.append(p.done))
    assert ours.verify(model) == []


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ({"status": 404}, "answers 404.*--mirror"),
        ({"status": 503}, "breaks off again and again"),
        ({"html": True}, "web page instead of a file"),
    ],
)
def test_what_a_server_says_instead_is_one_clear_error(
    harm: dict[str, Any], said: str, shelf: Shelf, tmp_path: Path
) -> None:
    model = _model(shelf)
    for name, value in harm.items():
        setattr(shelf, name, value)
    with pytest.raises(PullError, match=said):
        pull(model, ModelFolder(tmp_path))


def test_a_full_disk_is_told_before_and_while(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = _model(shelf)

    def usage(_: object) -> Any:
        return SimpleNamespace(total=10**9, used=10**9, free=1000)

    monkeypatch.setattr("shutil.disk_usage", usage)
    with pytest.raises(PullError, match=r"needs 1.0 MB.*models\.folder"):
        pull(model, ModelFolder(tmp_path))
    monkeypatch.undo()

    def full(*_: object) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pulling, "_copy_http", full)
    with pytest.raises(PullError, match="the disk is full"):
        pull(model, ModelFolder(tmp_path))


def test_two_pulls_of_one_model_do_not_write_into_each_other(shelf: Shelf, tmp_path: Path) -> None:
    folder, model = ModelFolder(tmp_path), _model(shelf)
    target = folder.path(model.id)
    target.mkdir(parents=True)
    with pulling._alone(target), pytest.raises(PullError, match="already"):
        pull(model, folder)


# ---------------------------------------------------------------- the commands


def _config(tmp_path: Path, **sections: Any) -> Config:
    return Config(models=Models(folder=str(tmp_path), download="never"), **sections)


def test_what_a_configuration_needs_is_known_from_its_engines_and_language(tmp_path: Path) -> None:
    config = _config(
        tmp_path,
        tts=Tts(provider=["kokoro", "espeak"], language="hi_IN"),
        stt=Stt(provider=["whisper_local"], model_size="tiny"),
    )
    assert [model.id for model in needed(config)] == ["whisper/tiny", "kokoro/v1.0"]
    config = _config(tmp_path, tts=Tts(provider=["piper"], language="mr_IN"))
    assert [model.id for model in missing(config)] == ["piper/mr_IN-google-medium"]
    assert needed(_config(tmp_path)) == []


def test_at_the_start_a_missing_model_is_fetched_or_named_as_it_was_said(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = _config(tmp_path, tts=Tts(provider=["piper"], voice_id="en_US-joe-medium"))
    with pytest.raises(InputError, match="parlour models pull piper/en_US-joe-medium"):
        fetch_missing(config, may_ask=False)
    fetched: list[str] = []
    monkeypatch.setattr(
        "parlour.app.models.pull_models", lambda _c, ids, mirror: fetched.extend(ids)
    )
    auto = config.model_copy(update={"models": Models(folder=str(tmp_path), download="auto")})
    fetch_missing(auto, may_ask=False)
    assert fetched == ["piper/en_US-joe-medium"]


def test_a_damaged_model_is_found_and_repaired(
    shelf: Shelf,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = _model(shelf)
    monkeypatch.setattr("parlour.app.models.find", lambda _: model)
    monkeypatch.setattr("parlour.app.models.models", lambda: {model.id: model})
    config = _config(tmp_path)
    pull_models(config, [model.id], mirror=None)
    path = tmp_path / "piper/x/x.onnx"
    path.write_bytes(DATA[:1000])
    assert verify_models(config, [], repair=False) == 1
    assert "x.onnx has 1,000 bytes instead of 1,024,000" in capsys.readouterr().out
    assert verify_models(config, [], repair=True) == 0
    assert path.read_bytes() == DATA


def test_ids_that_there_are_not_name_those_that_come_close() -> None:
    with pytest.raises(InputError, match="did you mean whisper/base"):
        find("base")
    with pytest.raises(InputError, match="piper/hi_IN-pratham-medium"):
        find("piper/hi_IN-prathan-medium")


def test_every_model_of_the_catalogue_can_be_fetched_from_somewhere_we_know() -> None:
    for model in models().values():
        assert model.files
        for file in model.files:
            assert file.url.startswith("https://"), model.id
            assert not Path(file.name).is_absolute()
            assert ".." not in file.name
        assert model.source, model.id


def test_models_lie_where_the_desktops_specification_says(tmp_path: Path) -> None:
    assert default_folder({"XDG_DATA_HOME": "/data"}) == Path("/data/parlour/models")
    assert default_folder({"HOME": "/home/a"}) == Path("/home/a/.local/share/parlour/models")


def test_a_manifest_that_is_no_json_pins_nothing(tmp_path: Path) -> None:
    target = tmp_path / "piper/x"
    target.mkdir(parents=True)
    for text in ("{", "[]", json.dumps({"sha256": 1})):
        (target / "parlour.json").write_text(text)
        assert ModelFolder(tmp_path).pinned("piper/x") == {}

"""What holds for the tree as a whole: its floors, its locks, its pages."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements/run.txt", "requirements/test.txt")


def _locked(lock: str) -> dict[str, list[str]]:
    """Package -> its hashes, over all entries of the lock."""
    locked: dict[str, list[str]] = {}
    name = ""
    for line in (ROOT / lock).read_text().splitlines():
        if start := re.match(r"([A-Za-z0-9_.-]+)==", line):
            name = _plain(start[1])
            locked.setdefault(name, [])
        locked[name] += re.findall(r"--hash=(sha256:[0-9a-f]{64})", line)
    return locked


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_import_goes_down() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    ended = subprocess.run(
        [linter, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout


def test_every_room_says_in_one_sentence_what_lives_there() -> None:
    for room in (ROOT / "src/parlour").glob("*/__init__.py"):
        assert re.match(r'"""[A-Z][^"]+\."""\n', room.read_text()), room.parent.name


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_hashes_and_no_place(lock: str) -> None:
    assert all(_locked(lock).values())
    assert not re.search(r"://|^-|file:|/home/|/work/|/opt/", (ROOT / lock).read_text(), re.M)


def test_everything_that_is_declared_is_locked() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project, extras = declared["project"], declared["project"]["optional-dependencies"]
    run = [*project["dependencies"], *declared["build-system"]["requires"]]
    run += [*extras["espeak"], *extras["opus"]]
    for lock, wanted in zip(LOCKS, (run, [*run, *extras["test"]]), strict=True):
        names = {_plain(re.split(r"[<>=~! ;\[]", one)[0]) for one in wanted}
        assert names <= _locked(lock).keys(), f"run make lock: {lock}"


def test_the_tests_run_on_the_versions_that_users_get() -> None:
    versions = re.compile(r"^([A-Za-z0-9_.-]+==\S+)", re.M)
    run, test = (set(versions.findall((ROOT / lock).read_text())) for lock in LOCKS)
    assert run <= test


def test_every_link_between_the_pages_leads_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.relative_to(ROOT)}: {target}"


def test_every_decision_is_listed_and_says_what_would_change_our_mind() -> None:
    folder = ROOT / "docs/decisions"
    listed = re.findall(r"\((\d{4}-[a-z0-9-]+\.md)\)", (folder / "README.md").read_text())
    assert listed == sorted(page.name for page in folder.glob("0*.md"))
    for page in listed:
        assert "hange our mind" in (folder / page).read_text(), page

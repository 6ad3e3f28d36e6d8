"""The evaluation of the agent in its short form, with servers of its own, and its sentences."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from parlour.home.demo import FLOORS, demo_entities
from parlour.home.entities import Area, Floor, Places
from parlour.home.grammar import HouseGrammar
from parlour.home.paper import PaperHouse
from parlour.ids import DeviceId
from parlour.ports import Place
from parlour_bench.agent.tasks import load

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.mark.skipif(find_spec("radicale") is None, reason="radicale is not installed")
def test_the_agent_does_what_the_short_run_asks_of_it(tmp_path: Path) -> None:
    told = tmp_path / "report.json"
    ended = subprocess.run(
        [sys.executable, "-m", "parlour", "bench", "agent", "--short", "--json", str(told)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    report = json.loads(told.read_text())
    whole = report["rows"][-1]
    assert (whole["class"], whole["wrong"]) == ("all", 0)
    assert whole["right"] + whole["left_out"] == len(load(short=True))


def test_the_grammar_knows_what_it_is_to_answer_and_nothing_else() -> None:
    areas = {area: Area(area, floor) for floor, listed in FLOORS.items() for area in listed}
    house = PaperHouse(demo_entities(), Places(areas, {name: Floor(name) for name in FLOORS}))
    grammar = HouseGrammar(house)
    strange = []
    for task in load():
        for turn in task.turns:
            judged = grammar.judge(turn.text, turn.language, Place(DeviceId("bench"), turn.area))
            if bool(judged.intent) is not (turn.by == "grammar"):
                strange.append((task.id, turn.text, judged.intent))
    assert strange == []

"""A report counts each task once, by the worst that went wrong in it."""

import json

from parlour_bench.agent.report import as_json, summarise
from parlour_bench.agent.run import Done
from parlour_bench.agent.scoring import Problem, Reason
from parlour_bench.agent.tasks import Task, Turn


def task(kind: str) -> Task:
    return Task(f"{kind}_x", kind, (Turn("hm"),))


DONE = [
    Done(task("home"), (), ("Done.",), (20.0,), (1,)),
    Done(task("home"), (Problem(Reason.TARGET, "hall.light is on"),), ("Done.",), (40.0,), (2,)),
    Done(task("calendar"), missing=("calendar_add",)),
]


def test_rows_are_classes_with_right_wrong_and_left_out() -> None:
    report = summarise(DONE)
    assert [(r.name, r.right, r.wrong, r.left_out) for r in report.rows] == [
        ("home", 1, 1, 0),
        ("calendar", 0, 0, 1),
    ]
    assert report.whole.reasons == {"wrong target": 1}
    assert not report.ok


def test_what_is_left_out_makes_no_report_wrong() -> None:
    assert summarise([DONE[0], DONE[2]]).ok


def test_the_json_has_every_task_with_its_problems_and_turns() -> None:
    told = json.loads(json.dumps(as_json(summarise(DONE))))
    assert told["rows"][-1]["class"] == "all"
    assert told["rows"][0]["latency_ms"]["p50"] == 30.0
    assert told["tasks"][1]["problems"] == [{"reason": "wrong target", "text": "hall.light is on"}]
    assert told["tasks"][0]["turns"] == [
        {"text": "hm", "reply": "Done.", "ms": 20.0, "requests": 1}
    ]
    assert told["tasks"][2]["missing"] == ["calendar_add"]

"""The scripted model follows its script, and what it streams is what providers read."""

import json
from typing import Any

from parlour_bench.agent.model import SPENT, ScriptedModel, stream_lines
from parlour_bench.agent.tasks import Call, Step, Turn

FIRST, SECOND = Step(text="One."), Step(text="Two.")


def asked(text: str, system: str = "You are the voice.", **more: Any) -> dict[str, Any]:
    messages = [{"role": "system", "content": system}, {"role": "user", "content": text}]
    return {"messages": messages, **more}


def model(*script: Step) -> ScriptedModel:
    made = ScriptedModel()
    made.begin_task()
    made.begin_turn(Turn("hello there", script=script))
    return made


def test_steps_come_in_their_order_and_then_it_is_spent() -> None:
    scripted = model(FIRST, SECOND)
    told = [scripted.answer(asked("[now]\nhello there")).text for _ in range(3)]
    assert told == ["One.", "Two.", SPENT.text]
    assert (scripted.requests, scripted.problems) == (3, [])


def test_a_step_for_ever_stays() -> None:
    scripted = model(FIRST, Step(text="Again.", forever=True))
    told = [scripted.answer(asked("hello there")).text for _ in range(4)]
    assert told == ["One.", "Again.", "Again.", "Again."]


def test_who_asks_for_ever_is_caught() -> None:
    scripted = model(Step(text="", forever=True))
    for _ in range(61):
        scripted.answer(asked("hello there"))
    assert scripted.problems == ["the model is asked more than 60 times in a turn"]


def test_what_is_not_about_the_turn_takes_no_step() -> None:
    scripted = model(FIRST)
    assert scripted.answer(asked("hello there", max_tokens=1)) is SPENT
    assert scripted.answer(asked("something else")) is SPENT
    assert scripted.answer(asked("hello there")).text == "One."
    assert scripted.answer(asked("user: hello there", "You keep the notes.")) is SPENT
    assert scripted.requests == 1


def test_a_system_prompt_that_changes_within_a_task_is_a_problem() -> None:
    system = "You are the voice of a home, heard and not read, in one to three short sentences. "
    scripted = model(FIRST, SECOND)
    scripted.answer(asked("hello there", system + "It is ten."))
    scripted.answer(asked("hello there", system + "It is eleven."))
    assert scripted.problems == ["the system prompt is another one than before"]


def test_a_line_of_a_result_can_be_named_by_its_words() -> None:
    scripted = model(Step(calls=(Call("calendar_move", {"event": "{id of Dentist}"}),)))
    body = asked("hello there")
    text = json.dumps("e1: Choir, tomorrow\ne2: Dentist, Tuesday")
    body["messages"] += [
        {"role": "tool", "tool_call_id": "c", "content": f"Text from outside: {text}"}
    ]
    assert scripted.answer(body).calls[0].arguments == {"event": "e2"}


def test_calls_come_in_pieces_that_make_up_their_arguments() -> None:
    calls = (Call("act", {"target": "kitchen.light"}), Call("get", '{"half": '))
    events = [
        json.loads(line.removeprefix("data: "))
        for line in stream_lines(Step(text="Let me see.", calls=calls), asked("hm"))
        if line.startswith("data: {")
    ]
    deltas = [choice["delta"] for event in events for choice in event["choices"]]
    assert "".join(delta.get("content", "") for delta in deltas) == "Let me see."
    pieces = [call for delta in deltas for call in delta.get("tool_calls", [])]
    whole = {0: "", 1: ""}
    for piece in pieces:
        whole[piece["index"]] += piece["function"]["arguments"]
    assert whole == {0: '{"target": "kitchen.light"}', 1: '{"half": '}
    assert len(pieces) > 4
    assert events[-1]["usage"]["prompt_tokens"] > 0

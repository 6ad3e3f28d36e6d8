"""Conversation with a language model, here one that works by a script."""

import json
from collections.abc import Mapping
from pathlib import Path

import anyio
import pytest

import virtual_time
from parlour.agent.assistant import Assistant, no_model
from parlour.agent.chat import BROKE_OFF, CANNOT, MOST_MESSAGES, ChatBrain
from parlour.ids import DeviceId, TurnId
from parlour.ports import Brain, Message, Place, Prompt, Say, Utterance
from parlour.providers.scripted import ScriptedLlm
from scripted_engines import EchoBrain

HALL = Place(DeviceId("hall"), "Hall")


def _utterance(text: str, device: str = "hall") -> Utterance:
    return Utterance(TurnId("t"), text, "en_US", Place(DeviceId(device), "Hall"))


def _llm(path: Path, **script: object) -> ScriptedLlm:
    file = path / "script.json"
    file.write_text(json.dumps({"llm": script}))
    return ScriptedLlm(file)


async def _ask(brain: Brain, text: str, device: str = "hall") -> str:
    commit = anyio.Event()
    commit.set()
    async with brain.answer(_utterance(text, device), commit) as pieces:
        return "".join([piece.text async for piece in pieces if isinstance(piece, Say)])


class Listening(ScriptedLlm):
    """Keeps the prompts."""

    prompts: tuple[Prompt, ...] = ()

    def open(self, prompt: Prompt):  # type: ignore[no-untyped-def]
        self.prompts += (prompt,)
        return super().open(prompt)


def _listening(path: Path) -> Listening:
    file = path / "script.json"
    file.write_text(json.dumps({"llm": {"default": "Well."}}))
    return Listening(file)


def test_a_question_is_answered_token_by_token(tmp_path: Path) -> None:
    async def scenario() -> None:
        brain = ChatBrain(_llm(tmp_path, answers={"capital": "**Paris**, of course."}))
        assert await _ask(brain, "what is the capital of france") == "Paris, of course."

    virtual_time.run(scenario)


def test_everything_but_the_last_message_stays_byte_for_byte(tmp_path: Path) -> None:
    async def scenario() -> None:
        llm = _listening(tmp_path)
        brain = ChatBrain(llm, lambda _: "the lamp is on")
        for text in ("one", "two", "three"):
            await _ask(brain, text)
            brain.remember(_utterance(text), "Well.")
        for before, after in zip(llm.prompts, llm.prompts[1:], strict=False):
            fixed = before.messages[:-1]
            assert after.messages[: len(fixed)] == fixed
        last = llm.prompts[-1].messages[-1].content
        assert "the lamp is on" in last
        assert "in the Hall" in last
        assert last.endswith("\nthree")
        assert [m.content for m in llm.prompts[-1].messages[1:-1]] == ["one", "Well."] + ["two", "Well."]  # fmt: skip

    virtual_time.run(scenario)


def test_only_what_was_heard_is_remembered_and_only_of_this_device(tmp_path: Path) -> None:
    async def scenario() -> None:
        brain = ChatBrain(_llm(tmp_path))
        brain.remember(_utterance("tell me a story"), "Once upon")
        assert brain.messages(DeviceId("hall")) == [
            Message("user", "tell me a story"),
            Message("assistant", "Once upon"),
        ]
        assert brain.messages(DeviceId("attic")) == []
        for n in range(30):
            brain.remember(_utterance(f"{n}"), "yes")
        assert len(brain.messages(DeviceId("hall"))) == MOST_MESSAGES
        before = brain.context(_utterance("a"))
        brain.remember(_utterance("a"), "b")
        assert brain.context(_utterance("a")) != before

    virtual_time.run(scenario)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ({"fail": "error"}, CANNOT),
        ({"fail": "die", "fail_after_tokens": 0}, CANNOT),
        ({"fail": "die", "fail_after_tokens": 2}, "I am" + BROKE_OFF),
        ({"fail": "garbage", "fail_after_tokens": 0}, CANNOT),
        ({"fail": "cut_tool_call", "fail_after_tokens": 0}, CANNOT),
    ],
)
def test_whatever_the_model_does_something_sensible_is_said(
    tmp_path: Path, script: Mapping[str, object], said: str
) -> None:
    async def scenario() -> None:
        assert (await _ask(ChatBrain(_llm(tmp_path, **script)), "well?")).startswith(said)

    virtual_time.run(scenario)


def test_a_model_that_never_ends_is_cut(tmp_path: Path) -> None:
    async def scenario() -> None:
        endless = " ".join(["word"] * 5000)
        said = await _ask(ChatBrain(_llm(tmp_path, default=endless)), "go on")
        assert 1000 < len(said) < 2000

    virtual_time.run(scenario)


class Home(EchoBrain):
    def knows(self, utterance: Utterance) -> bool:
        return "light" in utterance.text


def test_the_home_answers_what_it_knows_and_the_model_the_rest(tmp_path: Path) -> None:
    async def scenario() -> None:
        home, chat = Home(), ChatBrain(_llm(tmp_path, default="Forty-two."))
        both = Assistant(home, chat)
        assert await _ask(both, "turn on the light") == "You said turn on the light."
        assert await _ask(both, "what is it all about") == "Forty-two."
        assert await _ask(both, "") == "You said nothing."
        both.remember(_utterance("turn on the light"), "Done.")
        assert chat.messages(HALL.device)[0].content == "turn on the light"
        alone = Assistant(home, None)
        assert await _ask(alone, "turn on the light") == "You said turn on the light."
        assert await _ask(alone, "what is it all about") == no_model("en")

    virtual_time.run(scenario)


def test_the_model_has_read_the_beginning_before_the_end_is_said(tmp_path: Path) -> None:
    async def scenario() -> None:
        llm = _llm(tmp_path, profile="instant", prefill_ms_per_token=5)
        brain = ChatBrain(llm)
        cold_s = await _first_token_s(brain, "what is the capital of france")
        fresh = ChatBrain(_llm(tmp_path, profile="instant", prefill_ms_per_token=5))
        await fresh.warm_up(HALL, "en_US")
        await fresh.warm(_utterance("what is the capital"))
        warm_s = await _first_token_s(fresh, "what is the capital of france")
        assert cold_s > 0.3
        assert warm_s < cold_s / 4

    virtual_time.run(scenario)


async def _first_token_s(brain: ChatBrain, text: str) -> float:
    began_s = anyio.current_time()
    async with brain.answer(_utterance(text), anyio.Event()) as pieces:
        async for _ in pieces:
            break
    return anyio.current_time() - began_s

"""What a model is told, and the persona who tells it."""

from pathlib import Path

import pytest

from agents import Bench
from parlour.agent.persona import LANGUAGES, load_persona
from parlour.agent.prompt import (
    MOST_MESSAGES,
    Prompts,
    Surroundings,
    count_tokens,
    prompt_text,
    window,
)
from parlour.agent.refusals import Opening
from parlour.agent.state import Conversation, Record
from parlour.errors import ConfigError
from parlour.ids import DeviceId, TurnId
from parlour.ports import Place, Utterance

SURROUNDINGS = Surroundings(lambda _: (), lambda _: "Kitchen: kitchen.lamp", lambda _: "lamp on")
UTTERANCE = Utterance(TurnId("t"), "hello", "de_DE", Place(DeviceId("d"), "Kitchen"))


def test_a_prompt_goes_from_what_never_changes_to_what_always_does() -> None:
    prompts = Prompts(load_persona(None), SURROUNDINGS)
    known = Conversation(
        summary="They spoke of cats.",
        messages=[Record(role="user", content="a"), Record(role="assistant", content="b")],
    )
    tools = [Bench("look").tool]
    prompt = prompts.make(UTTERANCE, known, tools, facts=['he said "no"'], nudge="try again")
    text = prompt_text(prompt)
    order = ["look at something", "German", "kitchen.lamp", "cats", "a\nb", "lamp on", "hello"]
    assert [text.index(each) for each in order] == sorted(text.index(each) for each in order)
    assert '"he said \\"no\\""' in prompt.messages[-1].content
    assert prompt.messages[-1].content.endswith("hello\n(try again)")
    assert prompts.opening(UTTERANCE, known, tools).messages == prompt.messages[:-1]


def test_the_window_moves_seldom_and_begins_with_a_question() -> None:
    messages: list[Record] = []
    begins: list[str] = []
    for n in range(60):
        messages += [
            Record(role="user", content=f"q{n}"),
            Record(role="assistant", content="a"),
        ]
        seen = window(Conversation(messages=messages))
        assert len(seen) <= MOST_MESSAGES
        assert seen[0]["role"] == "user"
        begins.append(seen[0]["content"])
    assert len(set(begins)) <= 12


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_its_name_in_the_persona(language: str) -> None:
    assert LANGUAGES[language] in load_persona(None).text(f"{language}_XX")


def test_a_persona_of_ones_own_keeps_the_rules_of_the_tools(tmp_path: Path) -> None:
    file = tmp_path / "butler.yaml"
    file.write_text("name: James\nlanguage: en\nstyle: You are a butler. Answer in {language}.\n")
    persona = load_persona(str(file))
    assert persona.text("hi") == f"You are a butler. Answer in English.\n\n{persona.rules.strip()}"
    assert "call a tool" in persona.rules


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("style: [1]", "texts by the keys"),
        ("stile: x", "unknown key: stile"),
        ("name: x", "has no style"),
        ("a: b: c", "is not YAML"),
        (None, "cannot be read"),
    ],
)
def test_a_persona_that_cannot_be_used_is_named(
    tmp_path: Path, text: str | None, said: str
) -> None:
    file = tmp_path / "broken.yaml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigError, match=said):
        load_persona(str(file))


def test_tokens_are_estimated_in_every_script() -> None:
    assert 8 <= count_tokens("Turn on the light in the kitchen, please.") <= 13
    assert count_tokens("रसोई की बत्ती जलाओ") > count_tokens("kitchen light on now")
    assert count_tokens("") == 0


@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize(
    ("text", "is_refusal"),
    [
        ("I'm sorry, but I can't control lights.", True),
        ("I’m sorry, but I cannot do that", True),
        ("As an AI language model, I", True),
        ("I'm sorry to hear that.", False),
        ("I am here.", False),
        ("", False),
        ("As", False),
    ],
)
def test_only_a_refusal_is_held_back(text: str, size: int, is_refusal: bool) -> None:
    opening = Opening()
    said = "".join(opening.push(text[at : at + size]) for at in range(0, len(text), size))
    said += opening.rest()
    assert opening.is_refusal == is_refusal
    assert said == ("" if is_refusal else text)

"""What a model may do with facts, and what it says then."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from parlour.agent.memory.facts import Facts, open_facts
from parlour.agent.memory.tools import fact_tools
from parlour.errors import ToolError
from parlour.ids import DeviceId, TurnId
from parlour.ports import Order, Place, Tool, ToolResult, Utterance

pytestmark = pytest.mark.anyio

LANGUAGES = ("en", "de", "hi", "mr", "gu", "bn", "ta", "te", "ml")


@dataclass
class House:
    facts: Facts
    tools: dict[str, Tool]

    async def call(
        self, name: str, device: str = "kitchen", language: str = "en", **arguments: object
    ) -> ToolResult:
        return await self.tools[name].run(arguments, _order(device, language))

    async def ask(self, which: str, language: str = "en", device: str = "kitchen") -> str:
        question = self.tools["forget_fact"].question
        assert question is not None
        return await question({"which": which}, _order(device, language))


def _order(device: str, language: str) -> Order:
    place = Place(DeviceId(device))
    return Order(Utterance(TurnId("t1"), "", language, place), "key")


@asynccontextmanager
async def _house() -> AsyncIterator[House]:
    async with open_facts(None) as facts:
        tools = fact_tools(facts, lambda utterance: f"owner of {utterance.place.device}")
        yield House(facts, {tool.spec.name: tool for tool in tools})


async def test_what_was_remembered_is_recalled() -> None:
    async with _house() as house:
        done = await house.call("remember", text="The spare key is under the pot.")
        assert done.text == "Remembered as fact 1."
        assert done.say == "I'll remember that."
        found = await house.call("recall", words="where are the keys")
        assert found.text.startswith("1 (20")
        assert found.text.endswith("): The spare key is under the pot.")
        assert found.say == ""
        assert (await house.call("recall", words="giraffe")).text.startswith("Nothing")


async def test_what_is_to_be_forgotten_is_read_out_before() -> None:
    async with _house() as house:
        assert (await house.call("list_facts")).text == "Nothing is remembered yet."
        await house.call("remember", text="The spare key is under the pot.")
        await house.call("remember", text="Ben likes tea")
        assert (await house.call("list_facts")).text.splitlines()[0].endswith("Ben likes tea")
        expected = "Shall I forget this: The spare key is under the pot?"
        for which in ("1", "#1", "spare key", "१"):
            assert await house.ask(which) == expected
        done = await house.call("forget_fact", which="spare key")
        assert done.text == "Fact 1 is forgotten."
        assert done.say == "It's forgotten."
        for which in ("1", "99999999999999", "giraffe", ""):
            with pytest.raises(ToolError):
                await house.ask(which)
            with pytest.raises(ToolError):
                await house.call("forget_fact", which=which)


async def test_nobody_reaches_the_facts_of_another() -> None:
    async with _house() as house:
        await house.call("remember", device="hall", text="The code is 4711")
        assert "4711" not in (await house.call("recall", words="code")).text
        assert "4711" not in (await house.call("list_facts")).text
        for which in ("1", "code"):
            with pytest.raises(ToolError):
                await house.call("forget_fact", which=which)
        assert (await house.call("recall", device="hall", words="code")).text.endswith("4711")


async def test_all_is_said_in_the_language_of_the_speaker() -> None:
    async with _house() as house:
        said = set()
        for number, language in enumerate(LANGUAGES, start=1):
            done = await house.call("remember", language=f"{language}_XX", text=f"fact {number}.")
            question = await house.ask(str(number), language)
            assert question.endswith(f": fact {number}?")
            forgotten = await house.call("forget_fact", language=language, which=str(number))
            said |= {done.say, question, forgotten.say}
        assert len(said) == 3 * len(LANGUAGES)
        assert (await house.call("remember", language="fr", text="x")).say == "I'll remember that."


async def test_what_writes_is_out_of_reach_for_a_turn_that_read_a_strangers_text() -> None:
    async with _house() as house:
        tiers = {name: tool.tier({}) for name, tool in house.tools.items()}
        assert tiers == {"remember": 2, "recall": 0, "list_facts": 0, "forget_fact": 2}
        assert all(tool.trusted for tool in house.tools.values())

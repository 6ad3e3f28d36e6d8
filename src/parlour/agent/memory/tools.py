"""What a model may do with facts: remember, recall, list and forget them."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from parlour.agent.memory.facts import LONGEST_FACT, Fact, Facts
from parlour.errors import ToolError
from parlour.ports import Arguments, Order, Tool, ToolResult, ToolSpec, Utterance

MOST_RECALLED = 5
MOST_LISTED = 40
_LONGEST_ID = 12  # digits

OwnerOf: TypeAlias = Callable[[Utterance], str]

_REMEMBERED = {
    "en": "I'll remember that.",
    "de": "Das merke ich mir.",
    "hi": "मुझे यह याद रहेगा।",
    "mr": "हे माझ्या लक्षात राहील.",
    "gu": "મને આ યાદ રહેશે.",
    "bn": "আমি এটা মনে রাখব।",
    "ta": "இதை நினைவில் வைத்துக்கொள்கிறேன்.",
    "te": "ఇది గుర్తుంచుకుంటాను.",
    "ml": "ഇത് ഞാൻ ഓർത്തുവെക്കാം.",
}
_FORGET = {
    "en": "Shall I forget this: {fact}?",
    "de": "Soll ich das vergessen: {fact}?",
    "hi": "क्या मैं यह भूल जाऊँ: {fact}?",
    "mr": "मी हे विसरू का: {fact}?",
    "gu": "શું હું આ ભૂલી જાઉં: {fact}?",
    "bn": "আমি কি এটা ভুলে যাব: {fact}?",
    "ta": "இதை மறந்துவிடட்டுமா: {fact}?",
    "te": "దీన్ని మర్చిపోనా: {fact}?",
    "ml": "ഇത് മറക്കട്ടെ: {fact}?",
}
_FORGOTTEN = {
    "en": "It's forgotten.",
    "de": "Das ist vergessen.",
    "hi": "वह बात अब याद नहीं रहेगी।",
    "mr": "ते आता लक्षात राहणार नाही.",
    "gu": "એ વાત હવે યાદ નહીં રહે.",
    "bn": "ওটা আর মনে রাখব না।",
    "ta": "அது இனி நினைவில் இருக்காது.",
    "te": "అది ఇక గుర్తుంచుకోను.",
    "ml": "അത് ഇനി ഓർത്തുവെക്കില്ല.",
}


def fact_tools(facts: Facts, owner_of: OwnerOf) -> list[Tool]:
    """Nobody reaches the facts of another owner. What writes is of tier 2: a turn that has read
    what a stranger wrote must not have it remembered."""

    async def remember(arguments: Arguments, order: Order) -> ToolResult:
        fact = await facts.add(owner_of(order.utterance), str(arguments.get("text", "")))
        return ToolResult(f"Remembered as fact {fact.id}.", _in(_REMEMBERED, order))

    async def recall(arguments: Arguments, order: Order) -> ToolResult:
        words = str(arguments.get("words", ""))
        found = await facts.find(owner_of(order.utterance), words, MOST_RECALLED)
        return ToolResult(_told(found) or "Nothing is remembered about that.")

    async def list_facts(arguments: Arguments, order: Order) -> ToolResult:
        found = await facts.find(owner_of(order.utterance), "", MOST_LISTED)
        return ToolResult(_told(found) or "Nothing is remembered yet.")

    async def ask(arguments: Arguments, order: Order) -> str:
        fact = await _meant(facts, owner_of(order.utterance), arguments)
        return _in(_FORGET, order).format(fact=fact.text.rstrip(" .!?।"))

    async def forget(arguments: Arguments, order: Order) -> ToolResult:
        fact = await _meant(facts, owner_of(order.utterance), arguments)
        await facts.forget(fact.id)
        return ToolResult(f"Fact {fact.id} is forgotten.", _in(_FORGOTTEN, order))

    return [
        Tool(
            ToolSpec(
                "remember",
                "Keep a fact for good, when somebody asks to remember it.",
                _text("text", f"the fact as one sentence, at most {LONGEST_FACT} characters"),
            ),
            remember,
            tier=_tier_2,
        ),
        Tool(
            ToolSpec(
                "recall",
                "Look up facts that were remembered earlier.",
                _text("words", "what it is about, a few words"),
            ),
            recall,
        ),
        Tool(
            ToolSpec(
                "list_facts",
                "All facts that are remembered, newest first.",
                {"type": "object", "properties": {}},
            ),
            list_facts,
        ),
        Tool(
            ToolSpec(
                "forget_fact",
                "Forget one fact that was remembered.",
                _text("which", "its id, or words of it"),
            ),
            forget,
            tier=_tier_2,
            question=ask,
        ),
    ]


async def _meant(facts: Facts, owner: str, arguments: Arguments) -> Fact:
    which = str(arguments.get("which", "")).strip()
    if not which:
        raise ToolError("say which fact: its id, or words of it")
    number = which.removeprefix("#")
    if number.isdecimal() and len(number) <= _LONGEST_ID:
        found = [fact for fact in await facts.all(owner) if fact.id == int(number)]
    else:
        found = await facts.find(owner, which, 1)
    if not found:
        raise ToolError("no such fact is remembered; list_facts names them all")
    return found[0]


def _told(facts: Sequence[Fact]) -> str:
    return "\n".join(f"{fact.id} ({fact.said_utc:%Y-%m-%d}): {fact.text}" for fact in facts)


def _in(phrases: dict[str, str], order: Order) -> str:
    return phrases.get(order.utterance.language[:2], phrases["en"])


def _text(name: str, description: str) -> dict[str, object]:
    return {
        "type": "object",
        "properties": {name: {"type": "string", "description": description}},
        "required": [name],
    }


def _tier_2(_arguments: Arguments) -> int:
    return 2

"""The graph of a turn: repair, understand, and then obey, confirm, or respond and act in turns.

    answer:  repair > understand > obey                      the home knows what to do
                                 > confirm [> act]           a yes or no to what was asked back
                                 > respond [> act > respond ...]   a language model
    after:   settle                                          what was heard becomes history

An answer reads the conversation and writes nothing: it may be a guess, be cut off, or run beside
another one. When it is over, `settle` writes it, one turn after the other.
"""

from collections.abc import Callable
from typing import Any, Final, Literal, TypeAlias

import langsmith
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command

from parlour.agent.acting import CONFIRM_S, Done, carry_out
from parlour.agent.asking import Answer, ask
from parlour.agent.assistant import HomeBrain
from parlour.agent.calls import tidy
from parlour.agent.memory.reading import Reading
from parlour.agent.phrases import phrase
from parlour.agent.prompt import Prompts
from parlour.agent.run import Run
from parlour.agent.state import (
    Call,
    Conversation,
    Pending,
    Record,
    as_call,
    folded,
    is_tainted,
    now_utc,
    upgraded,
)
from parlour.ports import Llm, Say, Utterance

# LangChain sends whatever a graph does to a service as soon as the environment names one.
langsmith.configure(enabled=False)

END: Final = "__end__"  # langgraph's own, as a literal
MOST_ROUNDS = 5  # how often a model is asked in one turn
MOST_CALLS = 8  # of one step

EMPTY = "You answered with nothing. Answer in a sentence, or call a tool."
REFUSAL = "You have tools for this, which work. Call one, or say in one sentence what is missing."

Agreement: TypeAlias = Callable[[str, str], bool | None]
"""Whether a text in a language is a yes (True), a no (False) or something else (None)."""


class Nodes:
    """What happens at each place of the graph. `Run` goes along as its context."""

    def __init__(
        self, home: HomeBrain, llm: Llm, prompts: Prompts, agreement: Agreement, recall: "Recall"
    ) -> None:
        self._home = home
        self._llm = llm
        self._prompts = prompts
        self._agreement = agreement
        self._recall = recall

    async def repair(self, state: Conversation, runtime: Runtime[Run]) -> Conversation:
        """Make what is kept, of whatever version, a history that every model accepts."""
        run = runtime.context
        run.say = runtime.stream_writer
        run.known = upgraded(state)
        return run.known

    async def understand(
        self, state: Conversation, runtime: Runtime[Run]
    ) -> Command[Literal["obey", "confirm", "respond"]]:
        """Who answers? The grammar has judged these words while they were spoken."""
        run = runtime.context
        pending = state.get("pending")
        if pending is not None and _is_asked(pending, run.utterance):
            agreed = self._agreement(run.utterance.text, run.utterance.language)
            if agreed is not None:
                run.agreed = pending if agreed else None
                return Command(goto="confirm")
        is_home = not run.utterance.text.strip() or self._home.knows(run.utterance)
        return Command(goto="obey" if is_home else "respond")

    async def obey(self, state: Conversation, runtime: Runtime[Run]) -> None:
        """The home does what it was told, and says so."""
        run = runtime.context
        readable: list[str] = []
        async with self._home.answer(run.utterance, run.commit) as pieces:
            async for piece in pieces:
                if isinstance(piece, Say):
                    run.turn["said"] += f" {piece.text}"
                    readable.append(piece.readable or piece.text)
                    if piece.readable or run.readable:
                        run.readable = " ".join(readable)
                run.say(piece)

    async def confirm(
        self, state: Conversation, runtime: Runtime[Run]
    ) -> Command[Literal["act", "__end__"]]:
        """Do exactly what was asked back, or leave it; either way it is asked no more."""
        run = runtime.context
        if run.agreed is None:
            run.tell(phrase("left_alone", run.utterance.language))
            return Command(goto=END)
        run.turn["echoes"] = is_tainted(run.known.get("messages", ()))
        await run.commit.wait()
        # The call was answered already, with the question: this is another one that is the same.
        call = Call(**{**run.agreed["call"], "id": f"{run.utterance.turn}_yes"})
        run.turn["steps"].append(_calling([call]))
        return Command(goto="act")

    async def respond(
        self, state: Conversation, runtime: Runtime[Run]
    ) -> Command[Literal["respond", "act", "__end__"]]:
        """Have the model go on, and say what it says as it comes."""
        run = runtime.context
        if not run.turn["rounds"]:
            run.facts = await self._recall(run.utterance)
            run.turn["echoes"] = is_tainted(run.known.get("messages", ()))
        run.turn["rounds"] += 1
        prompt = self._prompts.make(
            run.utterance,
            run.known,
            list(run.tools.values()),
            run.turn,
            facts=run.facts,
            nudge=run.nudge,
        )
        answer = await ask(self._llm, prompt, run)
        run.nudge = ""
        if answer.calls:
            at = len(run.turn["steps"])
            name = f"{run.utterance.turn}_{at}"  # of no other call in the conversation
            told = [tidy(call, run.tools) for call in answer.calls[:MOST_CALLS]]
            calls = [as_call(call, f"{name}_{n}") for n, call in enumerate(told)]
            run.turn["steps"].append(_calling(calls))
            return Command(goto="act")
        return Command(goto="respond" if self._again(answer, run) else END)

    async def act(
        self, state: Conversation, runtime: Runtime[Run]
    ) -> Command[Literal["respond", "__end__"]]:
        """Carry out what was called; where the results speak for themselves, that is the answer."""
        run = runtime.context
        calls = run.turn["steps"][-1].get("calls", [])
        if run.agreed is None and _is_loop(calls, run):
            run.tell(phrase("too_many", run.utterance.language))
            return Command(goto=END)
        done = await carry_out(calls, run)
        run.agreed = None  # to this call, and to no other
        run.turn["steps"] += [each.record for each in done]
        return Command(goto=END if _is_over(done, run) else "respond")

    async def settle(self, state: Conversation, runtime: Runtime[Run]) -> Conversation:
        """Make the turn a part of the conversation: of its answer, what was heard."""
        run = runtime.context
        known = upgraded(state)
        heard = run.heard or ""
        if heard.strip() and run.readable:
            heard = run.readable  # all of it: where it was cut off cannot be told in other words
        messages = folded(known.get("messages", []), run.turn, heard)
        pending = known.get("pending")
        if pending is not None and pending["device"] == run.utterance.place.device:
            pending = None  # who says something else has not agreed
        if run.pending is not None and run.heard:  # what nobody heard was not asked
            pending = Pending(**{**run.pending, "ends_utc": now_utc() + CONFIRM_S})
        return known | Conversation(messages=messages, pending=pending)

    def _again(self, answer: Answer, run: Run) -> bool:
        """Whether an answer that is none is asked for once more."""
        language = run.utterance.language
        match answer.fault:
            case "":
                return False
            case "empty":
                run.nudge = EMPTY
                if run.first("empty") and run.turn["rounds"] < MOST_ROUNDS:
                    return True
                run.tell(phrase("nothing", language))
            case "refusal":
                run.nudge = REFUSAL
                return run.first("refusal")
            case "broke off":
                run.tell(phrase("broke_off", language))
            case "no answer":
                run.tell(phrase("cannot", language))
        return False


Graph: TypeAlias = "CompiledStateGraph[Any, Any, Any, Any]"

Recall: TypeAlias = Callable[[Utterance], Any]
"""What people asked to keep in mind that may matter now; awaited, never raises."""


def answering(nodes: Nodes, saver: BaseCheckpointSaver[Any] | None) -> Graph:
    """The graph that answers; it only reads from the saver."""
    graph = StateGraph(Conversation, context_schema=Run)
    for name, node in (
        ("repair", nodes.repair),
        ("understand", nodes.understand),
        ("obey", nodes.obey),
        ("confirm", nodes.confirm),
        ("respond", nodes.respond),
        ("act", nodes.act),
    ):
        graph.add_node(name, node)
    graph.add_edge(START, "repair")
    graph.add_edge("repair", "understand")
    return graph.compile(checkpointer=Reading(saver) if saver else None)


def settling(nodes: Nodes, saver: BaseCheckpointSaver[Any] | None) -> Graph:
    """The graph that keeps what was said."""
    graph = StateGraph(Conversation, context_schema=Run)
    graph.add_node("settle", nodes.settle)
    graph.add_edge(START, "settle")
    return graph.compile(checkpointer=saver)


def _is_asked(pending: Pending, utterance: Utterance) -> bool:
    """Whether it is this very device that was asked, a moment ago, in a turn before this."""
    return (
        pending["device"] == utterance.place.device
        and pending["turn"] != utterance.turn
        and 0 < pending["ends_utc"] - now_utc() <= CONFIRM_S  # a clock may be set back
    )


def _calling(calls: list[Any]) -> Record:
    return Record(role="assistant", content="", calls=calls)


def _is_loop(calls: list[Any], run: Run) -> bool:
    """Whether all of it was called before in this turn, or it was called too often."""
    told = [(c["name"], c["arguments"]) for c in calls]
    before = [
        (c["name"], c["arguments"])
        for step in run.turn["steps"][:-1]
        for c in step.get("calls", ())
    ]
    repeats = all(each in before for each in told)
    if repeats and run.first("repeated"):
        return False  # what it returns is the same, and most models then see it
    return repeats or run.turn["rounds"] >= MOST_ROUNDS


def _is_over(done: list[Done], run: Run) -> bool:
    asking = [each for each in done if each.asks]
    if asking or (done and all(each.say for each in done)):
        # What was done is said first, then the question; one question is enough.
        told = dict.fromkeys(each.say for each in done if each.say and not each.asks)
        for sentence in [*told, *(each.say for each in asking[:1])]:
            run.tell(sentence)
        return True
    if any(each.fault for each in done) and not run.first("call"):
        for each in done:
            run.tell(each.say)
        run.tell(phrase("could_not", run.utterance.language))
        return True
    return False

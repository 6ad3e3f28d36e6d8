"""How turns are taken: prepared ahead, merged, interrupted, and answered whatever goes wrong."""

from collections.abc import AsyncGenerator
from pathlib import Path

import anyio
import pytest

from conversation import Conversation
from parlour.ids import DeviceId
from parlour.ports import Begun, Commit, Judgement, Message, Piece, Place, Utterance, Verdict
from parlour.turn.interrupt import SURE_S
from scripted_engines import EchoBrain

HALL = DeviceId("hall")


def test_an_answer_is_prepared_in_the_pause_and_given_at_its_end(tmp_path: Path) -> None:
    conversation = Conversation(tmp_path, "|what|time|is|it")
    (turn,) = conversation.run()
    assert turn.end == "answered"
    assert turn.transcript == "what time is it"
    assert turn.heard == turn.reply == "Well, that is a long story, and I will tell it all."
    stages = turn.stages_ms
    assert stages["eager"] <= stages["speculation_start"] < stages["llm_first_token"]
    assert stages["llm_first_token"] < stages["commit"]  # it was thought of in the pause
    assert stages["sent_first"] < stages["commit"] + 25
    assert conversation.speculated == ["begun", "kept"]
    assert (turn.speculation.tries, turn.speculation.hit) == (1, True)
    assert conversation.llm.counts.calls == 1
    assert conversation.kept == [
        Message("user", "what time is it"),
        Message("assistant", turn.heard),
    ]


def test_nothing_of_a_prepared_answer_is_heard_before_the_turn_is_over(tmp_path: Path) -> None:
    conversation = Conversation(tmp_path, "|one|two||three|four", llm={"profile": "instant"})
    (turn,) = conversation.run()
    assert turn.transcript == "one two three four"
    assert conversation.sent[0][0] >= conversation.word_ends_s[-1] + 0.3
    assert conversation.speculated == ["begun", "dropped", "begun", "kept"]
    assert turn.speculation.extra_calls == 1
    assert turn.speculation.wasted_tokens > 0
    assert conversation.llm.counts.calls == 2


def test_at_most_three_answers_are_begun_in_one_turn(tmp_path: Path) -> None:
    said = "|a||b||c||d||e||f"
    conversation = Conversation(tmp_path, said, llm={"profile": "instant"})
    (turn,) = conversation.run()
    assert turn.transcript == "a b c d e f"
    assert conversation.speculated.count("begun") == 3
    assert conversation.llm.counts.calls == 4
    assert turn.end == "answered"


def test_who_goes_on_right_after_the_turn_was_taken_is_answered_as_a_whole(tmp_path: Path) -> None:
    conversation = Conversation(tmp_path, "|what|is|it|||with|you")
    first, second = conversation.run()
    assert (first.end, first.transcript) == ("merged", "what is it")
    assert (second.end, second.transcript) == ("answered", "what is it with you")
    assert conversation.kept[0] == Message("user", "what is it with you")
    assert len(conversation.kept) == 2


def test_a_speaker_of_long_pauses_is_given_longer_the_next_time(tmp_path: Path) -> None:
    said = "|what|is|it|||with|you" + "|" * 8 + "|and|so|now"
    conversation = Conversation(tmp_path, said, llm={"default": "Well."})
    turns = conversation.run(seconds=16)
    commits = [turn.stages_ms["commit"] for turn in turns]
    assert commits[-1] > commits[0] + 30


def test_what_was_done_is_not_done_again_when_somebody_goes_on(tmp_path: Path) -> None:
    brain = EchoBrain()
    conversation = Conversation(tmp_path, "|lamp|on|||please|now", brain=brain)
    first, second = conversation.run()
    assert (first.end, second.end) == ("cancelled", "answered")
    assert second.transcript == "please now"
    assert brain.did == 2  # one for each of two utterances


def test_what_is_being_done_is_not_begun_again_when_somebody_goes_on(tmp_path: Path) -> None:
    class Slow(EchoBrain):
        async def _answer(
            self, utterance: Utterance, commit: Commit
        ) -> AsyncGenerator[Piece, None]:
            await commit.wait()
            self.did += 1
            yield Begun()
            await anyio.sleep(5)

    brain = Slow()
    conversation = Conversation(tmp_path, "|add|milk|||and|bread", brain=brain)
    first, second = conversation.run()
    assert first.end == "cancelled"
    assert second.transcript == "and bread"
    assert brain.did == 2


def test_who_speaks_into_an_answer_cuts_it_and_only_what_was_heard_is_kept(tmp_path: Path) -> None:
    said = "|tell|me|a|story" + "|" * 6 + "|no|something|else|please"
    conversation = Conversation(tmp_path, said)
    first, second = conversation.run()
    assert (first.end, second.end) == ("cancelled", "answered")
    assert second.transcript == "no something else please"
    assert conversation.held == [True]
    assert conversation.cuts[0] is True
    assert first.reply.startswith(first.heard)
    assert 0 < len(first.heard) < len(first.reply)
    kept = conversation.kept
    assert kept[1] == Message("assistant", first.heard)
    assert kept[2] == Message("user", "no something else please")


def test_the_answer_falls_silent_within_a_tenth_of_a_second_of_speech(tmp_path: Path) -> None:
    said = "|tell|me|a|story" + "|" * 6 + "|no|something|else|please"
    conversation = Conversation(tmp_path, said)
    conversation.run()
    onset_s = conversation.word_ends_s[4] - 0.3
    packets_after = [at for at, _ in conversation.sent if onset_s + 0.13 < at < onset_s + 1.3]
    assert packets_after == []


def test_a_cough_holds_the_answer_and_then_it_goes_on(tmp_path: Path) -> None:
    conversation = Conversation(tmp_path, "|tell|me|a|story" + "|" * 6 + "|#")
    (turn,) = conversation.run()
    assert turn.end == "answered"
    assert turn.heard == turn.reply
    assert conversation.held == [True, False]
    assert conversation.cuts == [False]


@pytest.mark.parametrize("assent", ["mhm", "yeah"])
def test_who_only_assents_is_not_taken_for_somebody_who_interrupts(
    tmp_path: Path, assent: str
) -> None:
    conversation = Conversation(tmp_path, "|tell|me|a|story" + "|" * 6 + f"|{assent}")
    (turn,) = conversation.run()
    assert turn.end == "answered"
    assert conversation.held == [True, False]


def test_one_word_that_asks_for_silence_is_enough(tmp_path: Path) -> None:
    conversation = Conversation(tmp_path, "|tell|me|a|story" + "|" * 6 + "|stop")
    first, second = conversation.run()
    assert (first.end, second.transcript) == ("cancelled", "stop")
    assert SURE_S > 0.3  # it was the word, not its length


def test_a_device_that_does_not_cancel_its_echo_is_not_cut_off_by_itself(tmp_path: Path) -> None:
    conversation = Conversation(tmp_path, "|tell|me|a|story" + "|" * 6 + "|x|y|z", open_mic=True)
    turns = conversation.run("auto")
    assert turns[0].end == "cancelled"  # a voice far above the echo is still heard
    quiet = Conversation(tmp_path, "|tell|me|a|story", open_mic=True)
    (turn,) = quiet.run("auto")
    assert turn.end == "answered"


def test_without_an_open_microphone_nothing_is_heard_into_the_answer(tmp_path: Path) -> None:
    conversation = Conversation(tmp_path, "|tell|me|a|story" + "|" * 6 + "|no|something|else")
    (turn,) = conversation.run("auto")
    assert turn.end == "answered"
    assert conversation.held == []


@pytest.mark.parametrize(
    ("llm", "said"),
    [
        ({"fail": "hang"}, "One moment."),
        ({"profile": "slow", "first_token_ms": 4000}, "One moment."),
        ({"fail": "error"}, "Sorry"),
        ({"fail": "garbage", "fail_after_tokens": 0}, "I have no answer"),
        ({"fail": "die", "fail_after_tokens": 3}, "Well,"),
        ({"fail": "cut_tool_call", "fail_after_tokens": 0}, "I have no answer"),
    ],
)
def test_whatever_the_model_does_something_is_heard_within_two_seconds(
    tmp_path: Path, llm: dict[str, object], said: str
) -> None:
    conversation = Conversation(tmp_path, "|what|time|is|it", llm=llm)

    async def give_up() -> None:
        await anyio.sleep(8)
        conversation.session.abort()

    turns = conversation.run(seconds=10, meanwhile=give_up)
    assert turns[0].reply.startswith(said)
    assert turns[0].stages_ms["sent_first"] < 2100


def test_a_device_that_reports_nonsense_harms_nobody(tmp_path: Path) -> None:
    conversation = Conversation(tmp_path, "|tell|me|a|story")

    async def report() -> None:
        for played_ms in (10**9, 5, 2**32 - 1, 0):
            await anyio.sleep(0.6)
            for turn in [e.turn for e in conversation.events if hasattr(e, "turn")][-1:]:
                conversation.session.played(turn, played_ms, 2**32 - 1)

    (turn,) = conversation.run(meanwhile=report)
    assert turn.end == "answered"
    assert turn.heard == turn.reply


class Growing:
    """ "lamp on" is a whole command, "lamp on here" another one."""

    def judge(self, text: str, language: str, place: Place) -> Judgement:
        known = {
            "lamp": Verdict.INCOMPLETE,
            "lamp on": Verdict.OPEN,
            "lamp on here": Verdict.CLOSED,
        }
        return Judgement(known.get(text, Verdict.NONE))


def test_a_command_that_may_go_on_is_given_time_to_and_one_that_may_not_is_not(
    tmp_path: Path,
) -> None:
    brain = EchoBrain()
    conversation = Conversation(tmp_path, "|lamp|on|here", brain=brain, grammar=Growing())
    (turn,) = conversation.run()
    assert turn.transcript == "lamp on here"
    assert 110 <= turn.stages_ms["commit"] < 150
    conversation = Conversation(tmp_path, "|lamp|on", brain=brain, grammar=Growing())
    (turn,) = conversation.run()
    assert 350 <= turn.stages_ms["commit"] < 390
    assert brain.did == 2


def test_after_an_answer_nobody_needs_to_be_called_for_a_while(tmp_path: Path) -> None:
    conversation = Conversation(tmp_path, "|a|b" + "|" * 9 + "|c|d", llm={"default": "Yes."})
    first, second = conversation.run()
    assert (first.transcript, second.transcript) == ("a b", "c d")
    ended = [event for event in conversation.events if type(event).__name__ == "TurnEnded"]
    assert len(ended) == 3  # and then it stopped listening

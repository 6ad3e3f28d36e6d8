"""A device's conversation, from its packets to the packets it gets."""

from collections.abc import Awaitable, Callable
from typing import Literal

import anyio

import virtual_time
from parlour import tasks
from parlour.audio import OpusPacket, silence
from parlour.errors import AudioError
from parlour.events import (
    Action,
    Event,
    FinalHeard,
    PartialHeard,
    ReplyBegan,
    ReplyEnded,
    ReplySaid,
    Speculated,
    SpeechBegan,
    TurnBegan,
    TurnEnded,
)
from parlour.ids import DeviceId, EntityId
from parlour.ports import Place
from parlour.turn.engines import Engines
from parlour.turn.playout import PlayoutFormat
from parlour.turn.session import STALL_S, Announcement, Session
from parlour.turn.vadbatch import VadBatch
from scripted_engines import (
    ClosedGrammar,
    EchoBrain,
    EnergyVad,
    ScriptedStt,
    ToneTts,
    packets,
    tone,
)

COMMAND = "turn on the light"


class House:
    """A session on a virtual clock, with everything it sends."""

    def __init__(self, stt: ScriptedStt | None = None, tts: ToneTts | None = None) -> None:
        self.stt = stt or ScriptedStt(COMMAND)
        self.tts = tts or ToneTts()
        self.brain = EchoBrain()
        self.events: list[Event] = []
        self.sent: list[tuple[float, OpusPacket]] = []
        self.session = Session(
            Engines(self.stt, self.tts, VadBatch(EnergyVad()), ClosedGrammar(COMMAND), self.brain),
            Place(DeviceId("hall"), "Hall"),
            PlayoutFormat(rate_hz=16_000, frame_ms=20, lead_s=0.2),
            self,
        )

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def play(self, packet: OpusPacket) -> None:
        self.sent.append((anyio.current_time(), packet))

    @property
    def ended(self) -> list[TurnEnded]:
        return [event for event in self.events if isinstance(event, TurnEnded)]

    async def speak(self, sound: list[bytes]) -> None:
        """Send packets of 20 ms in real time."""
        for packet in sound:
            self.session.hear(packet)
            await anyio.sleep(0.02)

    async def until_ended(self, turns: int = 1) -> TurnEnded:
        """Send silence until so many turns are over."""
        hush = packets(silence(0.02, 16_000))
        while len(self.ended) < turns:
            await self.speak(hush)
        return self.ended[turns - 1]

    def run(self, scenario: Callable[[], Awaitable[None]]) -> None:
        async def body() -> None:
            async with tasks.task_group() as group:
                group.start_soon(self.session.run)
                with anyio.fail_after(120):
                    await scenario()
                group.cancel_scope.cancel()

        virtual_time.run(body)


SPOKEN = packets(silence(0.2, 16_000), tone(0.9))


def test_a_spoken_command_is_acted_on_and_answered_in_order() -> None:
    house = House()

    async def scenario() -> None:
        house.session.listen("auto")
        await house.speak(SPOKEN)
        ended = await house.until_ended()
        assert ended.end == "answered"
        assert ended.transcript == COMMAND
        assert ended.reply == f"You said {COMMAND}."
        assert ended.actions == (Action(EntityId("kitchen.light"), "on", None, confirmed=True),)
        assert list(ended.stages_ms) == [
            "speech_start",
            "speech_end",
            "vad_off",
            "eager",
            "speculation_start",
            "stt_final",
            "commit",
            "llm_first_token",
            "first_clause",
            "tts_first",
            "sent_first",
        ]
        assert 110 <= ended.stages_ms["commit"] < 145
        assert ended.heard == ended.reply
        assert house.brain.remembered == [(COMMAND, ended.reply)]

    house.run(scenario)
    kinds = [type(event) for event in house.events if not isinstance(event, PartialHeard)]
    assert kinds == [
        TurnBegan,
        SpeechBegan,
        Speculated,
        FinalHeard,
        Speculated,
        ReplyBegan,
        ReplySaid,
        ReplyEnded,
        TurnEnded,
    ]
    assert [e.text for e in house.events if isinstance(e, PartialHeard)][-1] == COMMAND
    assert len(house.sent) == 30  # six words of 100 ms in frames of 20 ms


def test_the_recogniser_gets_the_speech_from_just_before_its_onset_without_a_gap() -> None:
    house = House()

    async def scenario() -> None:
        house.session.listen("auto")
        await house.speak(packets(silence(3.0, 16_000), tone(0.9)))
        await house.until_ended()
        fed = house.stt.fed
        assert 2.5 < fed[0].start / 16_000 < 3.0
        assert all(a.end == b.start for a, b in zip(fed, fed[1:], strict=False))

    house.run(scenario)


def test_sound_that_comes_in_a_burst_behind_the_start_is_heard_whole() -> None:
    house = House()

    async def scenario() -> None:
        house.session.listen("manual")
        for packet in SPOKEN:
            house.session.hear(packet)
        house.session.stop_listening()
        await anyio.sleep(5)
        assert house.ended[0].transcript == COMMAND

    house.run(scenario)


def test_push_to_talk_waits_for_the_button_through_any_pause() -> None:
    house = House()

    async def scenario() -> None:
        house.session.listen("manual")
        await house.speak(packets(tone(0.5), silence(1.5, 16_000), tone(0.5)))
        assert not any(isinstance(event, FinalHeard) for event in house.events)
        house.session.stop_listening()
        assert (await house.until_ended()).end == "answered"

    house.run(scenario)


def test_silence_ends_the_turn_without_an_answer() -> None:
    house = House()

    async def scenario() -> None:
        house.session.listen("auto")
        ended = await house.until_ended()
        assert (ended.end, ended.reply, house.sent) == ("no_speech", "", [])
        assert 8 <= round(anyio.current_time(), 3) < 8.2

    house.run(scenario)


def test_a_link_that_falls_silent_in_mid_utterance_does_not_hold_the_turn() -> None:
    house = House()

    async def scenario() -> None:
        house.session.listen("auto")
        await house.speak(SPOKEN)
        await anyio.sleep(2 * STALL_S + 1.5)
        assert [ended.transcript for ended in house.ended] == [COMMAND]

    house.run(scenario)


def test_an_abort_silences_the_answer_at_once_and_the_next_turn_is_normal() -> None:
    house = House()

    async def scenario() -> None:
        house.session.listen("auto")
        await house.speak(SPOKEN)
        while not house.sent:
            await house.speak(packets(silence(0.02, 16_000)))
        house.session.abort()
        sent = len(house.sent)
        assert (await house.until_ended()).end == "cancelled"
        assert len(house.sent) == sent
        assert house.tts.closed == 1
        house.session.listen("auto")
        await house.speak(SPOKEN)
        assert (await house.until_ended(2)).end == "answered"

    house.run(scenario)


def test_a_new_start_cuts_the_old_turn_and_hears_from_its_first_packet() -> None:
    house = House()

    async def scenario() -> None:
        house.session.listen("auto")
        await house.speak(SPOKEN[:30])
        house.session.listen("auto")
        await house.speak(SPOKEN)
        first, second = await house.until_ended(1), await house.until_ended(2)
        assert (first.end, second.end) == ("cancelled", "answered")
        assert second.transcript == COMMAND

    house.run(scenario)
    assert house.brain.did == 1


def test_in_realtime_mode_the_microphone_opens_again_after_each_answer() -> None:
    house = House()

    async def scenario() -> None:
        house.session.listen("realtime")
        for turn in (1, 2):
            await house.speak(SPOKEN)
            assert (await house.until_ended(turn)).end == "answered"
        assert (await house.until_ended(3)).end == "no_speech"

    house.run(scenario)


def test_garbage_is_refused_and_the_turn_lives_on() -> None:
    house = House()

    async def scenario() -> None:
        house.session.listen("auto")
        await house.speak(SPOKEN[:20])
        refused: Literal["yes", "no"] = "no"
        try:
            house.session.hear(b"\xff" * 50)
        except AudioError:
            refused = "yes"
        await house.speak(SPOKEN[20:])
        assert (await house.until_ended()).transcript == COMMAND
        assert refused == "yes"

    house.run(scenario)


def test_a_recogniser_that_breaks_is_owned_up_to_and_nothing_is_done() -> None:
    house = House(stt=ScriptedStt(COMMAND, breaks_after_s=0.5))

    async def scenario() -> None:
        house.session.listen("auto")
        await house.speak(SPOKEN)
        ended = await house.until_ended()
        assert ended.end == "failed"
        assert "cannot hear" in ended.reply

    house.run(scenario)
    assert house.sent
    assert house.brain.did == 0


def test_a_recogniser_that_never_finishes_is_taken_at_its_last_partial() -> None:
    house = House(ScriptedStt(COMMAND, silent=True))

    async def scenario() -> None:
        house.session.listen("auto")
        await house.speak(SPOKEN)
        ended = await house.until_ended()
        assert ended.end == "answered"
        assert ended.transcript == COMMAND
        assert ended.stages_ms["sent_first"] < 3000

    house.run(scenario)


def test_a_recogniser_that_says_nothing_at_all_is_owned_up_to() -> None:
    house = House(ScriptedStt("", silent=True))

    async def scenario() -> None:
        house.session.listen("auto")
        await house.speak(SPOKEN)
        ended = await house.until_ended()
        assert ended.end == "failed"
        assert "cannot hear" in ended.reply
        assert ended.stages_ms["sent_first"] < 3000

    house.run(scenario)


def test_a_voice_that_breaks_takes_neither_the_action_nor_the_text_with_it() -> None:
    house = House(tts=ToneTts(broken=True))

    async def scenario() -> None:
        house.session.listen("auto")
        await house.speak(SPOKEN)
        ended = await house.until_ended()
        assert ended.end == "answered"
        assert ended.reply == f"You said {COMMAND}."
        assert len(ended.actions) == 1

    house.run(scenario)


def test_an_announcement_is_spoken_to_a_device_that_is_idle() -> None:
    house = House()

    async def scenario() -> None:
        house.session.announce("the timer is up")
        await anyio.sleep(3)
        assert [e.text for e in house.events if isinstance(e, ReplySaid)] == ["the timer is up"]
        assert len(house.sent) == 20

    house.run(scenario)


def test_an_announcement_knows_whether_it_was_heard() -> None:
    house = House()

    async def scenario() -> None:
        announcement = house.session.announce("the timer is up")
        assert announcement is not None
        assert not announcement.begun.is_set()
        with anyio.fail_after(3):
            await announcement.done.wait()
        assert announcement.begun.is_set()
        assert (announcement.heard, announcement.cut) == (True, False)

    house.run(scenario)


def test_in_the_middle_of_a_turn_an_announcement_waits_for_its_end() -> None:
    house = House()

    async def scenario() -> None:
        house.session.listen("auto")
        spoken = packets(silence(0.1, 16_000), tone(0.9), silence(1.0, 16_000))
        announcement: Announcement | None = None
        for n, packet in enumerate(spoken):
            house.session.hear(packet)
            await anyio.sleep(0.02)
            if n == 20:
                announcement = house.session.announce("the timer is up")
        assert announcement is not None
        with anyio.fail_after(5):
            await announcement.done.wait()
        assert announcement.heard
        assert house.ended[0].end == "answered"
        said = [e.text for e in house.events if isinstance(e, ReplySaid)]
        assert said[-1] == "the timer is up"
        assert len(said) > 1

    house.run(scenario)


def test_an_announcement_that_is_withdrawn_before_its_time_is_never_said() -> None:
    house = House()

    async def scenario() -> None:
        first, second = house.session.announce("the first"), house.session.announce("the second")
        assert first is not None
        assert second is not None
        second.withdraw()
        with anyio.fail_after(5):
            await first.done.wait()
            await second.done.wait()
        assert (second.heard, second.cut, second.begun.is_set()) == (False, False, False)
        assert [e.text for e in house.events if isinstance(e, ReplySaid)] == ["the first"]
        second.withdraw()
        await anyio.sleep(1)

    house.run(scenario)


def test_an_announcement_that_is_withdrawn_while_it_is_said_falls_silent() -> None:
    house = House()

    async def scenario() -> None:
        announcement = house.session.announce("the timer is up")
        assert announcement is not None
        await anyio.sleep(0.1)
        sent = len(house.sent)
        assert sent
        announcement.withdraw()
        await anyio.sleep(1)
        assert len(house.sent) <= sent + 1
        assert (announcement.heard, announcement.cut) == (False, False)
        assert [e.cut for e in house.events if isinstance(e, ReplyEnded)] == [True]
        assert house.session.announce("and again") is not None
        await anyio.sleep(3)
        assert [e.cut for e in house.events if isinstance(e, ReplyEnded)] == [True, False]

    house.run(scenario)


def test_who_aborts_an_announcement_at_the_device_has_cut_it() -> None:
    house = House()

    async def scenario() -> None:
        announcement = house.session.announce("the timer is up")
        assert announcement is not None
        await anyio.sleep(0.1)
        house.session.abort()
        with anyio.fail_after(1):
            await announcement.done.wait()
        assert (announcement.heard, announcement.cut) == (False, True)

    house.run(scenario)


def test_more_announcements_than_can_wait_are_refused() -> None:
    house = House()

    async def scenario() -> None:
        said = [house.session.announce(f"number {n}") for n in range(20)]
        assert said[0] is not None
        assert said[-1] is None

    house.run(scenario)


def test_what_waits_to_be_said_when_the_device_leaves_is_lost() -> None:
    house = House()

    async def scenario() -> None:
        async with tasks.task_group() as group:
            group.start_soon(house.session.run)
            said = [house.session.announce(text) for text in ("the first", "the second")]
            await anyio.sleep(0.1)
            group.cancel_scope.cancel()
        for announcement in said:
            assert announcement is not None
            assert announcement.done.is_set()
            assert (announcement.heard, announcement.cut) == (False, False)

    virtual_time.run(scenario)

"""Conversations with a server whose recogniser and model work by a script."""

from collections.abc import Iterable

from parlour.app.virtual_device import VirtualDevice
from parlour.app.virtual_dialogue import Line
from parlour.audio import Pcm
from parlour_bench.fixtures import Fixture, cough, fixture
from parlour_bench.manifest import Kind
from parlour_bench.measured import Measured, Verdict
from parlour_bench.plan import Said
from parlour_bench.script import DEFAULT, Script
from parlour_bench.words import Word

TAIL_SAMPLES = 4800  # 0.3 s of room after a question into whose answer somebody will speak


async def hold(
    device_url: str,
    device_id: str,
    script: Script,
    said: Said,
    sound: Fixture,
    hear_s: float | None,
) -> Measured:
    """Hold one conversation on a connection of its own, with a device that nobody knows, so that
    none remembers another."""
    async with VirtualDevice(device_url, device_id, mode="realtime") as device:
        if said.kind is Kind.BARGE_IN:
            return await _interrupt(device, script, said, sound)
        answer = said.utterance.answer or DEFAULT
        words = _moved(sound.words, device.sent_samples)
        script.tell(said.profile, words, {said.utterance.text: answer})
        turn = await device.speak(sound.pcm, hear_s=hear_s, ends=sound.speech_end)
    return _judged(Measured(said, (turn,), Verdict.RIGHT))


async def _interrupt(device: VirtualDevice, script: Script, said: Said, first: Fixture) -> Measured:
    """Ask, and say something into the answer. Where the second recording will lie in the
    microphone's sound is known once it is said, so its words are told then."""
    utterance = said.utterance
    second = fixture(utterance.into, said.voice) if utterance.into else None
    sound = second.pcm if second is not None else cough()
    words = list(_moved(first.words, device.sent_samples))
    answers = {utterance.text: utterance.answer}
    if utterance.into:
        answers[utterance.into] = DEFAULT
    script.tell(said.profile, words, answers)

    def begins(pcm: Pcm) -> None:
        if pcm is sound and second is not None:
            later = _moved(second.words, device.sent_samples)
            script.tell(said.profile, [*words, *later], answers)

    # What is said next is said behind the end of the recording, so that must be over by then.
    asked = Pcm(first.pcm.samples[: first.speech_end + TAIL_SAMPLES], first.pcm.rate_hz)
    turns = await device.converse([Line(asked), Line(sound, said.into_s)], begins=begins)
    return _judged(Measured(said, tuple(turns), Verdict.RIGHT))


def _judged(measured: Measured) -> Measured:
    turn = measured.turn
    if not turn.packets:
        why = f"the turn ended as {turn.end}"
        return Measured(measured.said, measured.turns, Verdict.UNANSWERED, why)
    if measured.has_lost_words:
        why = f"heard: {turn.transcript or 'nothing'}"
        return Measured(measured.said, measured.turns, Verdict.MISSED, why)
    return measured


def _moved(words: Iterable[Word], by: int) -> Iterable[Word]:
    return (Word(word.text, word.start + by, word.end + by) for word in words)

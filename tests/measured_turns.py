"""Turns as a device would have seen them, for the tests of what is made of them."""

from parlour.app.virtual_turn import Turn
from parlour_bench.manifest import Kind, Utterance
from parlour_bench.measured import Measured, Verdict
from parlour_bench.plan import Said

STAGES = {"speech_start": -900.0, "speech_end": 0.0, "commit": 200.0, "sent_first": 300.0}
TEXTS = {Kind.COMMAND: "turn on the kitchen light", Kind.QUESTION: "why do cats purr"}


def turn(
    first_ms: float | None = 350, stages: dict[str, float] | None = None, text: str = ""
) -> Turn:
    made = Turn(text, stages_ms=dict(STAGES if stages is None else stages), end="answered")
    if first_ms is not None:
        made.packets = [(first_ms / 1000, 60)]
        made.first_audible_s = first_ms / 1000 + 0.08
    return made


def said(
    kind: Kind = Kind.COMMAND,
    *,
    voice: str = "slt",
    profile: str = "",
    snr_db: float | None = None,
    how: str = "",
    pauses_ms: tuple[float, ...] = (),
) -> Said:
    answer = "Because." if profile else ""
    utterance = Utterance(kind, (TEXTS.get(kind, "yes"),), answer=answer, how=how)
    return Said(utterance, voice, profile, snr_db, pauses_ms)


def measured(
    first_ms: float | None = 350,
    *,
    kind: Kind = Kind.COMMAND,
    voice: str = "slt",
    profile: str = "",
    snr_db: float | None = None,
    verdict: Verdict = Verdict.RIGHT,
) -> Measured:
    one = said(kind, voice=voice, profile=profile, snr_db=snr_db)
    heard = turn(first_ms, text=one.utterance.text)
    return Measured(one, (heard,), verdict, "because")

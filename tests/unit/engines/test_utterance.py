"""The sound that is kept of an utterance."""

import pytest

from parlour.audio import HEARING_RATE_HZ, silence
from parlour.engines.utterance import LONGEST_UTTERANCE_S, Utterance


@pytest.mark.parametrize("piece_s", [40.0, 0.7, 29.9])
def test_an_utterance_is_kept_without_gaps_up_to_its_limit(piece_s: float) -> None:
    utterance = Utterance()
    for at in range(60):
        start = round(at * piece_s * HEARING_RATE_HZ)
        utterance.feed(silence(piece_s, HEARING_RATE_HZ, start))
    assert sum(len(p.samples) for p in utterance.pieces) == LONGEST_UTTERANCE_S * HEARING_RATE_HZ
    ends = [piece.end for piece in utterance.pieces]
    assert [piece.start for piece in utterance.pieces] == [0, *ends[:-1]]

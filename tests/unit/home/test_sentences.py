"""What people say in nine languages, written by somebody who never saw the grammar."""

import pytest

from parlour_bench.grammar import (
    LOCALES,
    RIGHT_TARGET,
    SETS,
    WRONG_TARGET,
    Grade,
    Score,
    score,
)


def _failed(scored: Score) -> list[str]:
    return [
        f"{grade}: {spoken.text}" for spoken, grade in scored.grades if grade is not Grade.RIGHT
    ]


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("name", SETS)
def test_sentences_have_the_effect_that_their_speaker_means(locale: str, name: str) -> None:
    scored = score(locale, name)
    failed = _failed(scored)
    assert scored.share(Grade.RIGHT) >= RIGHT_TARGET.get(locale[:2], 85.0), failed
    assert scored.share(Grade.WRONG) <= WRONG_TARGET.get(locale[:2], 2.0), failed
    assert scored.false == 0, failed

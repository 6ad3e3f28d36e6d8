"""One thing that was looked at, and looking at many of them at once."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import anyio

from parlour import tasks
from parlour.errors import ParlourError


class Verdict(StrEnum):
    OK = "ok"
    WARN = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    subject: str
    verdict: Verdict
    said: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """Looks at one thing and must be done within a time. `mend` is for when it is not, or fails."""

    subject: str
    look: Callable[[], Awaitable[Sequence[Finding]]]
    deadline_s: float
    mend: str = ""


async def look_at(checks: Iterable[Check]) -> list[Finding]:
    """All at once; what was found is in the order of the checks."""
    every = list(checks)
    found: list[Sequence[Finding]] = [()] * len(every)

    async def look(place: int, check: Check) -> None:
        found[place] = await _look(check)

    async with tasks.task_group() as group:
        for place, check in enumerate(every):
            group.start_soon(look, place, check)
    return [finding for findings in found for finding in findings]


async def _look(check: Check) -> Sequence[Finding]:
    try:
        with anyio.fail_after(check.deadline_s):
            return await check.look()
    except TimeoutError:
        said = f"no answer within {check.deadline_s:g} s"
    except (ParlourError, OSError) as error:
        said = str(error) or type(error).__name__
    # What failed is often named first, and the subject names it already.
    said = said.removeprefix(f"{check.subject.partition(' ')[2]}: ")
    return [Finding(check.subject, Verdict.BAD, said, check.mend)]

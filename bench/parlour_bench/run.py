"""A run: each sentence is spoken to the server in real time, and what it did is judged."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

import anyio

from parlour.app.virtual_device import VirtualDevice
from parlour.app.virtual_turn import Turn
from parlour_bench.fixtures import Fixture
from parlour_bench.house import House, States, changed, open_house
from parlour_bench.scenario import Line, how_it_ends, meets, reply_fits

EFFECT_S = 2.0  # a command's time to show in the states, from the end of the turn
LINGER_S = 0.25  # chatter's time to do harm, after its turn


class Verdict(StrEnum):
    RIGHT = "right"
    MISSED = "missed"  # answered, but what it should cause did not happen; nothing else did
    WRONG = "wrong"  # something happened that nobody asked for
    UNANSWERED = "unanswered"
    UNPREPARED = "unprepared"  # the house could not be brought to where there is something to do


@dataclass(frozen=True, slots=True)
class Measured:
    """One sentence, spoken and judged."""

    line: Line
    turn: Turn
    verdict: Verdict
    why: str = ""  # what was not right

    @property
    def row(self) -> str:
        """The class under which its latency is reported, e.g. "closed command"."""
        return f"{how_it_ends(self.line.command.say)} {self.line.command.kind}"

    @property
    def cut_off(self) -> bool:
        """Whether the server ended the turn before the speaker did."""
        return self.turn.end_of_turn_ms is not None and self.turn.end_of_turn_ms < 0


@dataclass(frozen=True, slots=True)
class Target:
    """Where the server is: its device link and its HTTP side."""

    device_url: str
    http_url: str


async def run(
    target: Target,
    said: Iterable[tuple[Line, Fixture]],
    *,
    hear_s: float | None,
    tell: Callable[[Measured], None],
) -> list[Measured]:
    """Say one sentence after the other through one device; `hear_s` cuts long replies off.

    One at a time, because a second device on the same two cores would be in the figures.
    """
    results = []
    async with (
        open_house(target.http_url) as house,
        VirtualDevice(target.device_url, "bench") as device,
    ):
        for line, fixture in said:
            measured = await _measure(device, house, line, fixture, hear_s)
            tell(measured)
            results.append(measured)
    return results


async def _measure(
    device: VirtualDevice, house: House, line: Line, fixture: Fixture, hear_s: float | None
) -> Measured:
    command = line.command
    for text in command.before:
        await house.ask(text)
    before = await house.settle()
    if command.after and _caused(before, line):
        return Measured(line, Turn(), Verdict.UNPREPARED, "the house already stood like that")
    turn = await device.speak(fixture.pcm, hear_s=hear_s, ends=fixture.speech_end)
    after = await _wait_effect(house, line)
    return Measured(line, turn, *judge(line, turn, before, after))


async def _wait_effect(house: House, line: Line) -> States:
    """Look until the command shows, at most EFFECT_S; what must change nothing gets LINGER_S."""
    states = await house.look()
    with anyio.move_on_after(EFFECT_S if line.command.after else LINGER_S):
        while not (line.command.after and _caused(states, line)):
            await anyio.sleep(0.05)
            states = await house.look()
    return states


def judge(line: Line, turn: Turn, before: States, after: States) -> tuple[Verdict, str]:
    """The verdict on a turn, and the reason for a bad one, from how the house stood and stands."""
    command = line.command
    if strays := changed(before, after, besides=command.after):
        return Verdict.WRONG, f"changed {', '.join(sorted(strays))}"
    if targets := {action.target for action in turn.actions} - command.after.keys():
        return Verdict.WRONG, f"acted on {', '.join(sorted(targets))}"
    if not turn.packets:
        return Verdict.UNANSWERED, f"the turn ended as {turn.end}"
    if not _caused(after, line):
        return Verdict.MISSED, f"heard: {turn.transcript or 'nothing'}"
    if not reply_fits(command, turn.reply_text):
        return Verdict.MISSED, f"heard: {turn.transcript or 'nothing'}; said: {turn.reply_text}"
    return Verdict.RIGHT, ""


def _caused(states: States, line: Line) -> bool:
    """Whether every entity stands as the command must leave it."""
    return all(
        meets(states.get(entity, {}), expected) for entity, expected in line.command.after.items()
    )

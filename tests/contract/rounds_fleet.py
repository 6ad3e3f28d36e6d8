"""Real processes that ask Redis who answers, some of which are killed in the middle of it.

Round n is group "g<n>" at `began_s + n * every_s`, in which a device of each process claims. What a
process is told it appends to its file at once, so that a kill loses nothing. As a program:

    PYTHONPATH=src:tests/contract python tests/contract/rounds_fleet.py [seconds [s from round to round]]
"""

import logging
import multiprocessing
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import anyio
from redis.asyncio import Redis

from parlour import tasks
from parlour.bus.rounds_redis import RedisRounds
from parlour.errors import ProviderError
from parlour.ids import DeviceId
from parlour.wake.arbiter import Arbiter
from parlour.wake.claim import Claim
from parlour.wake.rules import Lost, Rules, TakenOver, Verdict, Won
from redis_server import RedisServer

PROCESSES = 3
EVERY_S = 0.007
KILL_EVERY_S = 0.5
RULES = Rules(window_s=0.06, least_window_s=0.04)
LONGEST_JITTER_S = 0.09  # some claims come after the decision
FORKED = multiprocessing.get_context("forkserver")


@dataclass(frozen=True)
class Plan:
    url: str
    folder: Path
    began_s: float  # of time.monotonic(), which is the same in all processes of a machine
    rounds: int
    every_s: float


@dataclass
class Found:
    """What the files say; `double` and `silent` are groups."""

    claims: int = 0
    claimed: set[str] = field(default_factory=set)
    won: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    taken: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    rounds: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    heard: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    half: set[str] = field(default_factory=set)  # a claimant was killed before it had a verdict
    unanswered: list[str] = field(default_factory=list)  # claims of processes that lived on
    errors: int = 0
    took_s: list[float] = field(default_factory=list)  # from a device's claim to its verdict

    @property
    def double(self) -> set[str]:
        by_group = (self.won, self.taken, self.rounds, self.heard)
        return {group for names in by_group for group, many in names.items() if len(many) > 1}

    @property
    def silent(self) -> set[str]:
        return self.claimed - set(self.won) - self.half

    def percentile_ms(self, percent: int) -> float:
        return 1000 * statistics.quantiles(self.took_s, n=100)[percent - 1]

    def report(self, kills: int) -> str:
        taken = sum(map(len, self.taken.values()))
        return (
            f"{len(self.claimed)} rounds, {self.claims} claims, {kills} processes killed: "
            f"{len(self.double)} double, {len(self.silent)} silent, "
            f"{len(self.unanswered)} claims of living processes without a verdict, "
            f"{self.errors} errors, {taken} taken over, {len(self.half)} rounds cut into by a kill; "
            f"own claim to verdict p50 {self.percentile_ms(50):.0f}, "
            f"p95 {self.percentile_ms(95):.0f}, p99 {self.percentile_ms(99):.0f} ms "
            f"with a window of {1000 * RULES.window_s:.0f} ms"
        )


def member(number: int, plan: Plan) -> None:
    """One process, from the round that is due now to the last one."""
    logging.disable(logging.WARNING)
    anyio.run(_member, number, plan)


async def _member(number: int, plan: Plan) -> None:
    path = plan.folder / f"{number}-{os.getpid()}"
    file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)

    def note(*words: object) -> None:
        os.write(file, (" ".join([f"{time.monotonic():.6f}", *map(str, words)]) + "\n").encode())

    def tell(verdict: Verdict) -> None:
        match verdict:
            case Won(device, round_id):
                note("won", round_id, device)
            case Lost(device, _, round_id):
                note("lost", round_id, device)
            case TakenOver(loser, winner, round_id):
                note("taken", round_id, loser, winner)

    async with Redis.from_url(plan.url, protocol=2) as redis:
        rounds = RedisRounds(redis, tell, RULES)

        async def claim(n: int) -> None:
            chance = random.Random(f"{number} {n}")
            await anyio.sleep(chance.uniform(0, LONGEST_JITTER_S))
            device = DeviceId(f"d{number}-{os.getpid()}-{n}")
            note("claim", f"g{n}", device)
            told = Claim(device, anyio.current_time(), chance.uniform(-60, -20), group=f"g{n}")
            try:
                await rounds.claim(told)
                if chance.random() < 0.2:
                    await anyio.sleep(chance.uniform(0.06, 0.1))
                    if await rounds.audible(device):
                        note("heard", f"g{n}", device)
            except ProviderError as error:
                note("error", f"g{n}", type(error).__name__)

        async with tasks.task_group() as group:
            group.start_soon(rounds.run)
            first = max(0, int((time.monotonic() - plan.began_s) / plan.every_s) + 1)
            for n in range(first, plan.rounds):
                await anyio.sleep(max(0.0, plan.began_s + n * plan.every_s - time.monotonic()))
                group.start_soon(claim, n)
            await anyio.sleep(1.5)
            note("end", "-")
            group.cancel_scope.cancel()


def run(url: str, folder: Path, rounds: int, every_s: float = EVERY_S) -> int:
    """Let the fleet run and kill a random process now and then; returns how many were killed.

    It runs under a small process of its own, of which killed ones are quickly forked anew.
    """
    command = [sys.executable, __file__, url, str(folder), str(rounds), str(every_s)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return int(subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout)


def _run(url: str, folder: Path, rounds: int, every_s: float) -> int:
    FORKED.set_forkserver_preload(["rounds_fleet"])
    plan = Plan(url, folder, time.monotonic() + 1.5, rounds, every_s)
    members = [_started(number, plan) for number in range(PROCESSES)]
    chance = random.Random(7)
    kills = 0
    ends_s = plan.began_s + rounds * every_s
    time.sleep(1.5 + KILL_EVERY_S)
    while time.monotonic() < ends_s - 2 * KILL_EVERY_S:
        victim = chance.randrange(PROCESSES)
        members[victim].kill()
        members[victim].join()
        members[victim] = _started(victim, plan)
        kills += 1
        time.sleep(KILL_EVERY_S * chance.uniform(0.7, 1.3))
    for one in members:
        one.join(10)
        one.kill()
    return kills


def _started(number: int, plan: Plan) -> ForkServerProcess:
    process = FORKED.Process(target=member, args=(number, plan), daemon=True)
    process.start()
    return process


def found(folder: Path) -> Found:
    """Read the files of all processes."""
    result = Found()
    for path in folder.iterdir():
        lines = [line.split() for line in path.read_text().splitlines()]
        _read(result, lines)
    return result


def _read(result: Found, lines: list[list[str]]) -> None:
    claimed_s: dict[str, float] = {}
    for at, kind, name, *devices in lines:
        group = name.split("/")[0]
        match kind:
            case "claim":
                result.claims += 1
                result.claimed.add(group)
                claimed_s[devices[0]] = float(at)
            case "won":
                result.won[group].add(devices[0])
                result.rounds[group].add(name)
            case "taken":
                result.taken[group].add(" ".join(devices))
            case "heard":
                result.heard[group].add(devices[0])
            case "error":
                result.errors += 1
            case _:
                pass  # lost, end
        if kind in {"won", "lost", "taken"} and (began_s := claimed_s.pop(devices[-1], None)):
            result.took_s.append(float(at) - began_s)
    has_lived = bool(lines) and lines[-1][1] == "end"
    for device in claimed_s:
        group = "g" + device.rsplit("-", 1)[1]
        if has_lived:
            result.unanswered.append(device)
        else:
            result.half.add(group)


def _in_memory(rounds: int) -> str:
    """As many rounds of one process, each with its own group's claims at random times."""
    chance = random.Random(3)
    arbiter = Arbiter(RULES)
    double = silent = unanswered = 0
    began_s = time.perf_counter()
    for n in range(rounds):
        at_s = 10.0 * n
        answering: set[str] = set()
        won: set[str] = set()
        told: set[str] = set()
        devices = [DeviceId(f"d{number}") for number in range(chance.randint(1, 6))]
        moments = sorted((at_s + chance.uniform(0, 0.5), device) for device in devices)
        moments += [(s, d) for s, d in moments if chance.random() < 0.1]  # twice
        for now_s, device in sorted(moments):
            due_s = arbiter.due_s()
            verdicts = arbiter.decide(due_s) if due_s is not None and due_s <= now_s else []
            level = chance.choice([None, 60.0, *[chance.uniform(-60, -20)] * 8])
            verdicts += arbiter.claim(Claim(device, now_s, level), now_s)
            double += _follow(verdicts, answering, won, told)
        verdicts = arbiter.decide(at_s + 1)
        double += _follow(verdicts, answering, won, told)
        silent += not won
        unanswered += len(set(devices) - told)
        for name in answering:
            arbiter.ended(DeviceId(name), at_s + 5)
    took_s = time.perf_counter() - began_s
    return (
        f"{rounds} rounds in memory: {double} double, {silent} silent, {unanswered} devices "
        f"without a verdict, {1e6 * took_s / rounds:.0f} us a round"
    )


def _follow(verdicts: list[Verdict], answering: set[str], won: set[str], told: set[str]) -> int:
    """Keep who answers; returns how often two did, or a second one won."""
    wrong = 0
    for verdict in verdicts:
        match verdict:
            case Won(device, _):
                answering.add(device)
                wrong += bool(won)
                won.add(device)
                told.add(device)
            case Lost(device, _, _):
                answering.discard(device)
                told.add(device)
            case TakenOver(loser, winner, _):
                answering.discard(loser)
                answering.add(winner)
                told.add(winner)
        wrong += len(answering) > 1
    return wrong


def main(seconds: float = 120.0, every_s: float = EVERY_S) -> None:
    print(_in_memory(100_000))  # noqa: T201
    with tempfile.TemporaryDirectory() as folder:
        data, files = Path(folder, "redis"), Path(folder, "files")
        data.mkdir()
        files.mkdir()
        server = RedisServer(data, "--appendonly", "no")
        anyio.run(server.start)
        kills = run(server.url, files, int(seconds / every_s), every_s)
        server.kill()
        print(found(files).report(kills))  # noqa: T201


if __name__ == "__main__":
    if len(sys.argv) == 5:
        url, folder, rounds, every_s = sys.argv[1:]
        print(_run(url, Path(folder), int(rounds), float(every_s)))  # noqa: T201
    else:
        main(*map(float, sys.argv[1:]))

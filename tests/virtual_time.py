"""An event loop whose clock jumps to the next timer when nothing is ready, so waits cost nothing.

It is for code that waits on timers and on other tasks: nothing stops the clock while a real
socket, a thread or a child process is at work.
"""

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from typing import TypeVar, TypeVarTuple

import anyio

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


def run(async_fn: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
    """Run a coroutine function on a clock that starts at 0.0 s and return its result.

    Raises RuntimeError when every task waits and no timer is left, which would be for ever.
    """
    return anyio.run(async_fn, *args, backend_options={"loop_factory": _Loop, "debug": True})


class _Selector(selectors.DefaultSelector):
    """asyncio asks its selector to wait until the next timer; this one turns the clock instead."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        happened = super().select(0)
        if timeout is None and not happened:
            raise RuntimeError(f"deadlock at {self.now_s:g} s: all tasks wait and no timer is left")
        if timeout is not None and not happened:
            self.now_s += max(0.0, timeout)
        return happened


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clock = _Selector()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now_s

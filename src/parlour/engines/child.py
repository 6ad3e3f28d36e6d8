"""The program of an engine's own process.

`python -m parlour.engines.child stt|tts MODULE:FUNCTION URI OPTIONS`, the options as a JSON object.
It ends with its parent, which holds the other end of its standard input.
"""

import importlib
import json
import logging
import os
import signal
import sys
from collections.abc import Mapping
from functools import partial
from typing import Any

import anyio
from anyio import to_thread

from parlour import tasks
from parlour.engines.process import REFUSED
from parlour.engines.serve import serve_recogniser, serve_synthesiser
from parlour.errors import ParlourError

log = logging.getLogger(__name__)


async def run(
    kind: str,
    target: str,
    uri: str,
    options: Mapping[str, Any],
    *,
    info: Mapping[str, Any],
    watch_parent: bool,
) -> None:
    """Make the engine that `target` names and serve it until SIGTERM, or until the parent dies."""
    module, _, function = target.partition(":")
    make: Any = getattr(importlib.import_module(module), function)
    engine = await to_thread.run_sync(partial(make, **options))
    async with tasks.task_group() as group:
        group.start_soon(_watch_signals, group.cancel_scope, watch_parent)
        if watch_parent:
            group.start_soon(_watch_parent, group.cancel_scope)
        if kind == "stt":
            await serve_recogniser(engine, uri, info)
        else:
            await serve_synthesiser(engine, uri, info)


async def _watch_signals(scope: anyio.CancelScope, quiet_on_interrupt: bool) -> None:
    """A terminal sends Ctrl-C to the whole family: the parent decides for its children."""
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for number in signals:
            if number == signal.SIGTERM or not quiet_on_interrupt:
                scope.cancel()
                return


async def _watch_parent(scope: anyio.CancelScope) -> None:
    await to_thread.run_sync(sys.stdin.buffer.read, abandon_on_cancel=True)
    scope.cancel()


def main() -> int:
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # until the loop watches it
    kind, target, uri, options = sys.argv[1:5]
    try:
        anyio.run(partial(run, kind, target, uri, json.loads(options), info={}, watch_parent=True))
    except ParlourError as error:
        log.error("%s", error)  # noqa: TRY400 - one line for the owner, not a traceback
        return REFUSED
    except (ImportError, AttributeError, OSError) as error:
        log.error("cannot start: %s", error)  # noqa: TRY400 - as above
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # A thread may still wait for the parent's end of standard input: there is nothing left to do.
    os._exit(code)

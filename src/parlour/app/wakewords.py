"""From the section `wake` to the engine that spots wake words, and what each satellite waits for."""

# An engine is imported when it is chosen: a server without wake words loads none.
# ruff: noqa: PLC0415  # see above

from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from parlour.app import registry
from parlour.app.sections import Config
from parlour.app.values import either
from parlour.app.wakesection import Wake
from parlour.errors import ConfigError, ParlourError
from parlour.ids import DeviceId
from parlour.ports import WakeWord
from parlour.turn.wakeword import WakeListener
from parlour.wake.rounds import Rounds, Tell

GROUP = "parlour.wakewords"
REDIS_S = 0.5  # a verdict that takes longer is of no use


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one satellite waits for."""

    words: tuple[str, ...]
    sensitivity: float


def make_wake_word(
    config: Config, installed: Iterable[EntryPoint] | None = None
) -> WakeWord | None:
    """None where there is no engine. Raises ConfigError, MissingError.

    `installed` is for tests; as a rule they are the entry points of this Python.
    """
    wake = config.wake
    if wake.provider == "none":
        return None
    engine = _make(wake, installed)
    places = {"wake.words": wake.words} | {
        f"satellites.{name}.wake_words": satellite.wake_words
        for name, satellite in config.satellites.items()
        if satellite.wake_words
    }
    for place, words in places.items():
        for word in words:
            if word not in engine.traits.words:
                known = ", ".join(engine.traits.words) or "none: name its model in wake.models"
                raise ConfigError(f"{place}: there is no wake word {word}; there is {known}")
    return engine


def wanted_by(config: Config, device: DeviceId) -> Wanted:
    """What the satellite says for itself, else what the house does."""
    wake, satellite = config.wake, config.satellites.get(device)
    words, sensitivity = wake.words, wake.sensitivity
    if satellite is not None:
        words = satellite.wake_words or words
        if satellite.wake_sensitivity is not None:
            sensitivity = satellite.wake_sensitivity
    return Wanted(tuple(words), sensitivity)


def spotter_for(config: Config, engine: WakeWord | None, device: DeviceId) -> WakeListener | None:
    """What listens for a satellite that says in `wake_words` that it has none of its own."""
    satellite = config.satellites.get(device)
    if engine is None or satellite is None or not satellite.wake_words:
        return None
    wanted = wanted_by(config, device)
    return WakeListener(engine.open(wanted.words, wanted.sensitivity))


def shared_rounds(
    config: Config,
) -> tuple[Callable[[Tell], Rounds], Callable[[], Coroutine[Any, Any, None]]]:
    """What makes the rounds of several servers, and what hangs up."""
    from redis.asyncio import Redis

    from parlour.bus.rounds_redis import RedisRounds

    assert config.redis is not None, "the configuration was checked"
    url = config.redis.url.get_secret_value()
    redis = Redis.from_url(url, socket_connect_timeout=REDIS_S, socket_timeout=REDIS_S, protocol=2)
    return partial(RedisRounds, redis), redis.aclose


def _make(wake: Wake, installed: Iterable[EntryPoint] | None) -> WakeWord:
    own = {word: Path(path).expanduser() for word, path in wake.models.items()}
    match wake.provider:
        case "microwakeword":
            from parlour.providers.microwakeword import MicroWakeWord

            try:
                return MicroWakeWord(own, wake.check_cutoff)
            except ConfigError as error:
                raise ConfigError(f"wake.models: {error}") from error
        case "porcupine":
            from parlour.providers.porcupine import Porcupine, PorcupineOptions

            key = wake.access_key.get_secret_value() if wake.access_key else ""
            return Porcupine(PorcupineOptions(key, own))
        case "openwakeword":
            from parlour.providers.openwakeword import OpenWakeWord, OpenWakeWordOptions

            return OpenWakeWord(OpenWakeWordOptions(own))
        case name:
            return _plugged_in(name, wake, installed)


def _plugged_in(name: str, wake: Wake, installed: Iterable[EntryPoint] | None) -> WakeWord:
    points = {point.name: point for point in installed or entry_points(group=GROUP)}
    if name not in points:
        there_is = [*registry.WAKE, *sorted(points)]
        raise ConfigError(f"wake.provider: must be {either(there_is)} (is {name!r})")
    try:
        engine = points[name].load()(dict(wake.settings))
    except ParlourError as error:
        raise ConfigError(f"wake.provider: {name}: {error}") from error
    except Exception as error:  # somebody else's code: whatever it raises
        said = f"{type(error).__name__}: {error}".partition("\n")[0][:200]
        raise ConfigError(f"wake.provider: {name} failed: {said}") from error
    if not all(hasattr(engine, each) for each in ("traits", "open", "confirm")):
        raise ConfigError(f"wake.provider: {name} must return a parlour.ports.WakeWord")
    plugged: WakeWord = engine
    return plugged

"""Whether the chosen engines are all there, and do what they are for."""

from collections.abc import AsyncIterator, Callable, Iterator

import anyio

from parlour.app import choice
from parlour.app.doctor.findings import Finding, Verdict
from parlour.app.engines import Running, make_llm, make_stt, make_tts
from parlour.app.models import missing
from parlour.app.pull import size_text
from parlour.app.readiness import Readiness, stt_state, tts_state
from parlour.app.sections import Config
from parlour.app.speech import started
from parlour.audio import HEARING_RATE_HZ, silence
from parlour.errors import ParlourError
from parlour.ports import Message, Prompt
from parlour.supervise import Stages

ENGINE_S = 40.0


def check_choices(config: Config) -> Iterator[Finding]:
    """Keys, packages and models of all engines that are chosen."""
    for name in config.stt.provider:
        if name not in ("scripted", "wyoming"):
            state = stt_state(config, choice.stt_traits(config, name))
            yield _state(f"stt {name}", state.readiness, state.mend)
    for name in config.tts.provider:
        if name not in ("scripted", "wyoming"):
            traits = choice.tts_traits(config, name)
            voice = traits.voices.get((choice.voice_for(config, name) or "").partition("#")[0])
            state = tts_state(config, traits, voice)
            yield _state(f"tts {name}", state.readiness, state.mend)
    for model in missing(config):
        said = f"{model.id} is not here ({size_text(model.size_bytes)})"
        yield Finding("model", Verdict.BAD, said, f"parlour models pull {model.id}")


async def check_hearing(config: Config) -> Finding:
    return await _engine("hearing", config, _hears)


async def check_speaking(config: Config) -> Finding:
    return await _engine("speaking", config, _speaks)


async def check_model(config: Config) -> Finding:
    return await _engine("language model", config, _thinks)


def _state(subject: str, readiness: Readiness, mend: str) -> Finding:
    verdict = Verdict.OK if readiness is Readiness.READY else Verdict.BAD
    return Finding(subject, verdict, str(readiness), mend)


async def _engine(
    subject: str, config: Config, work: Callable[[Config, Running], AsyncIterator[str]]
) -> Finding:
    """Have the chosen engine do what it is for, once."""
    running = Running(Stages())
    began_s = anyio.current_time()
    try:
        with anyio.fail_after(ENGINE_S):
            said = [one async for one in work(config, running)]
    except TimeoutError:
        return Finding(
            subject, Verdict.BAD, f"no answer within {ENGINE_S:.0f} s", "parlour --debug"
        )
    except ParlourError as error:
        return Finding(subject, Verdict.BAD, str(error), _mend_in(str(error)))
    took_s = anyio.current_time() - began_s
    return Finding(subject, Verdict.OK, f"{said[-1]}, {took_s:.1f} s with its start")


async def _hears(config: Config, running: Running) -> AsyncIterator[str]:
    stt = make_stt(config, running)
    heard = ""
    async with started(running), stt.open(config.stt.language) as hearing:
        hearing.feed(silence(0.5, HEARING_RATE_HZ))
        hearing.finish()
        async for one in hearing:
            heard = one.text
    yield f"{stt.traits.name} hears" + (f" {heard!r} in silence" if heard else "")


async def _speaks(config: Config, running: Running) -> AsyncIterator[str]:
    tts = make_tts(config, running)
    duration_s = 0.0
    voice = choice.voice_for(config, config.tts.provider[0])
    async with started(running), tts.open(voice) as speech:
        speech.say("One.")
        speech.finish()
        async for piece in speech:
            duration_s += piece.pcm.duration_s
    yield f"{tts.traits.name} speaks"


async def _thinks(config: Config, running: Running) -> AsyncIterator[str]:
    llm = make_llm(config, running)
    assert llm is not None, "there is one"
    try:
        async with llm.open(Prompt((Message("user", "Say yes."),), most_tokens=16)) as deltas:
            async for _ in deltas:
                pass
    finally:
        await llm.aclose()
    yield f"{llm.traits.name} {llm.traits.model} answers"


def _mend_in(text: str) -> str:
    """The command that an error names, if it names one."""
    for start in ("parlour models", "pip install"):
        if start in text:
            return text[text.index(start) :].partition(";")[0].strip()
    return ""

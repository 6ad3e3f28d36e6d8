"""What an engine of ours says of itself in Wyoming's `info`, as Home Assistant reads it."""

from collections.abc import Mapping, Sequence
from typing import Any

from parlour import __version__
from parlour.traits import SttTraits, TtsTraits

_ATTRIBUTION = {"name": "Parlour", "url": ""}
LEARNS = {"version": __version__}  # peers of our own may teach it; others ignore the key


def stt_info(known: Sequence[SttTraits]) -> Mapping[str, Any]:
    return {"asr": [_recogniser(traits) for traits in known], "parlour": LEARNS}


def tts_info(known: Sequence[TtsTraits]) -> Mapping[str, Any]:
    return {"tts": [_synthesiser(traits) for traits in known], "parlour": LEARNS}


def _recogniser(traits: SttTraits) -> dict[str, Any]:
    return {
        "name": traits.name,
        "description": f"{traits.name} {traits.model}",
        "installed": True,
        "version": __version__,
        "attribution": _ATTRIBUTION,
        "supports_transcript_streaming": False,
        "models": [
            {
                "name": traits.model,
                "description": traits.model,
                "installed": True,
                "version": __version__,
                "attribution": _ATTRIBUTION,
                "languages": [_bcp47(language) for language in traits.languages],
            }
        ],
    }


def _synthesiser(traits: TtsTraits) -> dict[str, Any]:
    return {
        "name": traits.name,
        "description": f"{traits.name} {traits.model}",
        "installed": True,
        "version": __version__,
        "attribution": _ATTRIBUTION,
        "supports_synthesize_streaming": True,
        "voices": [
            {
                "name": voice.id,
                "description": voice.name or voice.id,
                "installed": True,
                "version": __version__,
                "attribution": {"name": str(voice.licence), "url": ""},
                "languages": [_bcp47(language) for language in voice.languages],
            }
            for voice in traits.voices.values()
        ],
    }


def _bcp47(language: str) -> str:
    return language.replace("_", "-")

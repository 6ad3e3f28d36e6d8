"""Which engines there are: their names in config.yml, what runs each, and what each needs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Engine:
    """`target` is "module:function", which a process of the engine's own runs; "" is for engines
    that work in the server's process or elsewhere."""

    target: str = ""
    needs: str = ""  # the Python package without which it does not work ...
    extra: str = ""  # ... and the extra of ours that brings it


STT = {
    "pocketsphinx": Engine("parlour.providers.pocketsphinx:serve"),
    "whisper_local": Engine("parlour.providers.whisper:serve", "faster_whisper", "whisper"),
    "whisper_api": Engine(),
    "deepgram": Engine(),
    "moonshine": Engine("parlour.providers.moonshine:serve", "moonshine_voice", "moonshine"),
    "sherpa": Engine("parlour.providers.sherpa:serve", "sherpa_onnx", "sherpa"),
    "wyoming": Engine(),
    "scripted": Engine(),
}
TTS = {
    "espeak": Engine("parlour.providers.espeak:serve"),
    "piper": Engine("parlour.providers.piper:serve", "piper", "piper"),
    "kokoro": Engine("parlour.providers.kokoro:serve", "kokoro_onnx", "kokoro"),
    "coqui": Engine("parlour.providers.coqui.engine:serve", "TTS", "coqui"),
    "elevenlabs": Engine(),
    "openai": Engine(),
    "wyoming": Engine(),
    "scripted": Engine(),
}
LLM = ("none", "ollama", "groq", "openai", "scripted")
WAKE = ("microwakeword", "porcupine", "openwakeword", "none")
DEFAULT_WAKE = "microwakeword"
DEFAULT_STT, DEFAULT_TTS = "pocketsphinx", "espeak"

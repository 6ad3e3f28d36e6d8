"""Models of a few kilobytes, made here, that load in the real engines and answer like little ones.

They have the true architecture and random weights, or a graph that is one tone: the code that
loads and runs them is the code that loads and runs real ones.
"""

import importlib
import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

WHISPER_SIZES = {
    "nano": (1, 1, 64),
    "tiny": (4, 6, 384),
    "base": (6, 8, 512),
}  # layers, heads, width
WHISPER_TEXT = 50257  # tokens of text; then come the special ones
WHISPER_VOCABULARY = 51865
# Whisper's languages in the order of their tokens; those of ours stand where they belong.
WHISPER_LANGUAGES = [
    "en",
    "zh",
    "de",
    "es",
    "ru",
    "ko",
    "fr",
    "ja",
    "pt",
    "tr",
    "pl",
    "ca",
    "nl",
    "ar",
    "sv",
    "it",
    "id",
    "hi",
    "fi",
    "vi",
    "he",
    "uk",
    "el",
    "ms",
    "cs",
    "ro",
    "da",
    "hu",
    "ta",
    "no",
    "th",
    "ur",
    "hr",
    "bg",
    "lt",
    "la",
    "mi",
    "ml",
    "cy",
    "sk",
    "te",
    "fa",
    "lv",
    "bn",
    "sr",
    "az",
    "sl",
    "kn",
    "et",
    "mk",
    "br",
    "eu",
    "is",
    "hy",
    "ne",
    "mn",
    "bs",
    "kk",
    "sq",
    "sw",
    "gl",
    "mr",
    "pa",
    "si",
    "km",
    "sn",
    "yo",
    "so",
    "af",
    "oc",
    "ka",
    "be",
    "tg",
    "sd",
    "gu",
    "am",
    "yi",
    "lo",
    "uz",
    "fo",
    "ht",
    "ps",
    "tk",
    "nn",
    "mt",
    "sa",
    "lb",
    "my",
    "bo",
    "tl",
    "mg",
    "as",
    "tt",
    "haw",
    "ln",
    "ha",
    "ba",
    "jw",
    "su",
]


def whisper(
    folder: Path, size: str = "nano", text: str = "turn on the kitchen light", seed: int = 7
) -> Path:
    """A Whisper of the true architecture with random weights, converted for CTranslate2 (int8).

    Its positions pull towards `text`, which it says of whatever it hears, and then it ends.
    """
    specs: Any = importlib.import_module("ctranslate2.specs")
    layers, heads, width = WHISPER_SIZES[size]
    spec = specs.WhisperSpec(layers, heads, layers, heads)
    rng = np.random.default_rng(seed)

    def noise(*shape: int, scale: float = 0.05) -> Any:
        return rng.standard_normal(shape, np.float32) * scale

    def norm(part: Any) -> None:
        part.gamma, part.beta = np.ones(width, np.float32), np.zeros(width, np.float32)

    def linear(part: Any, out: int, into: int) -> None:
        part.weight, part.bias = noise(out, into), np.zeros(out, np.float32)

    def attention(part: Any, fused: bool) -> None:
        norm(part.layer_norm)
        if fused:
            linear(part.linear[0], 3 * width, width)
        else:
            linear(part.linear[0], width, width)
            linear(part.linear[1], 2 * width, width)
        linear(part.linear[-1], width, width)

    def feed_forward(part: Any) -> None:
        norm(part.layer_norm)
        linear(part.linear_0, 4 * width, width)
        linear(part.linear_1, width, 4 * width)

    encoder, decoder = spec.encoder, spec.decoder
    encoder.conv1.weight, encoder.conv1.bias = noise(width, 80, 3), np.zeros(width, np.float32)
    encoder.conv2.weight, encoder.conv2.bias = noise(width, width, 3), np.zeros(width, np.float32)
    encoder.position_encodings.encodings = noise(1500, width)
    decoder.position_encodings.encodings = noise(448, width)
    embeddings = noise(WHISPER_VOCABULARY, width)
    decoder.embeddings.weight = embeddings
    said = [*range(len(text.split())), WHISPER_TEXT]  # the last ends the text
    pull = rng.standard_normal((len(said), width), np.float32)
    pull -= pull.mean(axis=1, keepdims=True)  # the norm before the projection takes it out
    projection = embeddings.copy()
    for step, token in enumerate(said):
        # Four tokens stand before the first word: start, language, task, no timestamps.
        decoder.position_encodings.encodings[3 + step] = 50 * pull[step]
        projection[token] = pull[step]
    decoder.projection.weight = projection
    norm(encoder.layer_norm)
    norm(decoder.layer_norm)
    for layer in encoder.layer:
        attention(layer.self_attention, fused=True)
        feed_forward(layer.ffn)
    for layer in decoder.layer:
        attention(layer.self_attention, fused=True)
        attention(layer.attention, fused=False)
        feed_forward(layer.ffn)
    tokens = _whisper_tokens(text.split())
    spec.register_vocabulary(tokens)
    spec.config.suppress_ids = list(range(WHISPER_TEXT + 1, WHISPER_VOCABULARY))
    spec.config.suppress_ids_begin = []
    spec.config.lang_ids = [tokens.index(f"<|{code}|>") for code in WHISPER_LANGUAGES]
    spec.config.alignment_heads = [list(pair) for pair in product(range(layers), range(heads))]
    spec.validate()
    spec.optimize(quantization="int8")
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))
    _whisper_tokenizer(tokens).save(str(folder / "tokenizer.json"))
    return folder


def _whisper_tokens(words: list[str]) -> list[str]:
    special = [
        "<|endoftext|>",
        "<|startoftranscript|>",
        *(f"<|{code}|>" for code in WHISPER_LANGUAGES),
        *(f"<|{task}|>" for task in ("translate", "transcribe", "startoflm", "startofprev")),
        "<|nospeech|>",
        "<|notimestamps|>",
    ]
    # The empty token is by what CTranslate2 knows a multilingual model.
    others = (f"word{n}" for n in range(len(words), WHISPER_TEXT - 1))
    tokens = [*words, *others, "", *special]
    return tokens + [f"<|{n * 0.02:.2f}|>" for n in range(WHISPER_VOCABULARY - len(tokens))]


def _whisper_tokenizer(tokens: list[str]) -> Any:
    package: Any = importlib.import_module("tokenizers")
    vocabulary = {token: n for n, token in enumerate(tokens)}
    words = package.models.WordLevel(vocabulary, unk_token=tokens[0])
    tokenizer = package.Tokenizer(words)
    tokenizer.pre_tokenizer = package.pre_tokenizers.WhitespaceSplit()
    tokenizer.add_special_tokens(tokens[WHISPER_TEXT:])
    return tokenizer


# ---------------------------------------------------------------- sherpa-onnx

SHERPA_WORDS = ("▁light", "▁on")


def sherpa_ctc(folder: Path) -> Path:
    """A NeMo CTC network of one multiplication: loud frames are "light", quiet ones a blank."""
    features = helper.make_tensor_value_info("audio_signal", TensorProto.FLOAT, ["N", 80, "T"])
    length = helper.make_tensor_value_info("length", TensorProto.INT64, ["N"])
    out = helper.make_tensor_value_info("logprobs", TensorProto.FLOAT, ["N", "S", 3])
    # Log-mel energies: a frame whose sum is high is loud. Three outputs: light, on, blank.
    weights = np.zeros((80, 3), np.float32)
    weights[:, 0] = 1.0
    bias = np.array([0.0, -10_000.0, LOUD_SUM], np.float32)
    nodes = [
        helper.make_node("Transpose", ["audio_signal"], ["frames"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["frames", "weights"], ["energy"]),
        helper.make_node("Add", ["energy", "bias"], ["scores"]),
        helper.make_node("LogSoftmax", ["scores"], ["logprobs"], axis=2),
    ]
    initial = [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(bias, "bias")]
    graph = helper.make_graph(nodes, "ctc", [features, length], [out], initial)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    about = {
        "vocab_size": "2",
        "subsampling_factor": "1",
        "normalize_type": "",
        "model_type": "EncDecCTCModelBPE",
        "is_giga_am": "0",
    }
    for key, value in about.items():
        model.metadata_props.add(key=key, value=value)
    checker.check_model(model)
    folder.mkdir(parents=True, exist_ok=True)
    save(model, str(folder / "model.onnx"))
    lines = [f"{word} {n}" for n, word in enumerate([*SHERPA_WORDS, "<blk>"])]
    (folder / "tokens.txt").write_text("\n".join(lines) + "\n", "utf-8")
    return folder


LOUD_SUM = -1200.0  # of the 80 log energies of a frame of 10 ms, between silence and a tone

# ---------------------------------------------------------------- Piper

PIPER_HOP = 1024  # samples that a phoneme sounds


def piper_voice(
    folder: Path, voice: str, *, rate_hz: int = 22_050, speakers: int = 1, espeak: str = "en-us"
) -> Path:
    """A Piper voice that hums: 1024 samples of a tone for each phoneme, longer when slower."""
    config: Any = importlib.import_module("piper.phoneme_ids")
    ids = helper.make_tensor_value_info("input", TensorProto.INT64, ["N", "P"])
    lengths = helper.make_tensor_value_info("input_lengths", TensorProto.INT64, ["N"])
    scales = helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3])
    sid = helper.make_tensor_value_info("sid", TensorProto.INT64, ["N"])
    out = helper.make_tensor_value_info("output", TensorProto.FLOAT, ["N", 1, "T"])
    constants = {
        "hop": np.array(float(PIPER_HOP), np.float32),
        "step": np.array(2 * np.pi * 220 / rate_hz, np.float32),
        "loud": np.array(0.3, np.float32),
        "one": np.array([1], np.int64),
        "zero_f": np.array(0.0, np.float32),
        "one_f": np.array(1.0, np.float32),
        "shape": np.array([1, 1, -1], np.int64),
    }
    nodes = [
        helper.make_node("Cast", ["input_lengths"], ["count"], to=TensorProto.FLOAT),
        helper.make_node("Squeeze", ["count"], ["phonemes"]),
        helper.make_node("Gather", ["scales", "one"], ["slower_1"]),
        helper.make_node("Squeeze", ["slower_1"], ["slower"]),
        helper.make_node("Mul", ["phonemes", "hop"], ["plain"]),
        helper.make_node("Mul", ["plain", "slower"], ["samples"]),
        helper.make_node("Range", ["zero_f", "samples", "one_f"], ["at"]),
        helper.make_node("Mul", ["at", "step"], ["phase"]),
        helper.make_node("Sin", ["phase"], ["wave"]),
        helper.make_node("Mul", ["wave", "loud"], ["quieter"]),
        helper.make_node("Reshape", ["quieter", "shape"], ["output"]),
    ]
    inputs = [ids, lengths, scales, *([sid] if speakers > 1 else [])]
    initial = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "voice", inputs, [out], initial)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    target = folder / voice
    target.mkdir(parents=True, exist_ok=True)
    save(model, str(target / f"{voice}.onnx"))
    about = {
        "audio": {"sample_rate": rate_hz, "quality": "medium"},
        "espeak": {"voice": espeak},
        "phoneme_type": "espeak",
        "inference": {"noise_scale": 0.667, "length_scale": 1.0, "noise_w": 0.8},
        "phoneme_id_map": dict(config.DEFAULT_PHONEME_ID_MAP),
        "num_symbols": 256,
        "num_speakers": speakers,
        "speaker_id_map": {f"s{n}": n for n in range(speakers)} if speakers > 1 else {},
    }
    (target / f"{voice}.onnx.json").write_text(json.dumps(about), "utf-8")
    return target


# ---------------------------------------------------------------- Kokoro


def kokoro(folder: Path, voices: tuple[str, ...] = ("af_heart", "hf_alpha")) -> Path:
    """A Kokoro that hums: 600 samples for each token."""
    tokens = helper.make_tensor_value_info("tokens", TensorProto.INT64, [1, "P"])
    style = helper.make_tensor_value_info("style", TensorProto.FLOAT, [1, 256])
    speed = helper.make_tensor_value_info("speed", TensorProto.FLOAT, [1])
    out = helper.make_tensor_value_info("audio", TensorProto.FLOAT, ["T"])
    constants = {
        "hop": np.array(600.0, np.float32),
        "step": np.array(2 * np.pi * 180 / 24_000, np.float32),
        "loud": np.array(0.3, np.float32),
        "last": np.array([1], np.int64),
        "zero_f": np.array(0.0, np.float32),
        "one_f": np.array(1.0, np.float32),
    }
    nodes = [
        helper.make_node("Shape", ["tokens"], ["size"]),
        helper.make_node("Gather", ["size", "last"], ["count_1"]),
        helper.make_node("Cast", ["count_1"], ["count_f"], to=TensorProto.FLOAT),
        helper.make_node("Squeeze", ["count_f"], ["count"]),
        helper.make_node("Squeeze", ["speed"], ["pace"]),
        helper.make_node("Mul", ["count", "hop"], ["plain"]),
        helper.make_node("Div", ["plain", "pace"], ["samples"]),
        helper.make_node("Range", ["zero_f", "samples", "one_f"], ["at"]),
        helper.make_node("Mul", ["at", "step"], ["phase"]),
        helper.make_node("Sin", ["phase"], ["wave"]),
        helper.make_node("Mul", ["wave", "loud"], ["audio"]),
    ]
    initial = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "kokoro", [tokens, style, speed], [out], initial)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    folder.mkdir(parents=True, exist_ok=True)
    save(model, str(folder / "kokoro-v1.0.onnx"))
    styles: Any = {voice: np.zeros((510, 1, 256), np.float32) for voice in voices}
    with (folder / "voices-v1.0.bin").open("wb") as opened:
        np.savez(opened, **styles)
    return folder


def bursts(count: int, rate_hz: int = 16_000) -> Iterator[np.ndarray[Any, np.dtype[np.int16]]]:
    """Tones of 0.3 s with as much silence after each."""
    at = np.arange(round(0.3 * rate_hz)) / rate_hz
    tone = (8000 * np.sin(2 * np.pi * 440 * at)).astype(np.int16)
    for _ in range(count):
        yield np.concatenate([tone, np.zeros_like(tone)])

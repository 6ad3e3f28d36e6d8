"""The section `wake` of `config.yml`: the words to which the house listens, and who checks them."""

import re
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, Field

from parlour.app import registry
from parlour.app.section import Section
from parlour.app.values import Key, Name, Text, between

MOST_WORDS = 8  # of one microphone; each costs 0.6 ms for a second of sound


def _wake_word(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", value):
        raise ValueError("must be lower-case letters, digits and underscores, such as okay_nabu")
    return value


def _few(value: object) -> object:
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_WORDS:
        raise ValueError(f"must be a list of 1 to {MOST_WORDS} words, such as [okay_nabu]")
    return value


WakeWordId: TypeAlias = Annotated[str, BeforeValidator(_wake_word)]
WakeWordIds: TypeAlias = Annotated[list[WakeWordId], BeforeValidator(_few)]
Sensitivity: TypeAlias = Annotated[float, between(0.0, 1.0)]


class Wake(Section):
    """Wake words on the server. A satellite that hears its own is checked before anything is
    heard of it; one that cannot is listened to."""

    provider: Name = Field(
        default=registry.DEFAULT_WAKE,
        description=f"Engine that spots them: {', '.join(registry.WAKE)}, or the name that an"
        " installed package gives its own",
    )
    words: WakeWordIds = Field(
        default_factory=lambda: ["okay_nabu"],
        description="Words to listen for; microwakeword brings alexa, hey_jarvis, hey_mycroft and"
        " okay_nabu",
    )
    sensitivity: Sensitivity = Field(
        default=0.5,
        description="0.0 to 1.0: more hears more, and more that nobody said; 0.5 is as the words'"
        " makers advise",
    )
    models: dict[WakeWordId, Text] = Field(
        default_factory=dict,
        description="Paths of your own models by the id of their word: .json beside a .tflite for"
        " microwakeword, .ppn for porcupine, .onnx for openwakeword",
    )
    shared: bool = Field(
        default=False,
        description="Several servers decide together which device answers, over redis.url; while"
        " Redis is away, each device answers",
    )
    check: bool = Field(
        default=True,
        description="Hear again what a satellite took for its wake word, and drop what is none",
    )
    check_cutoff: Annotated[float, between(0.1, 0.95)] = Field(
        default=0.5, description="microwakeword: how sure that check must be; more drops more"
    )
    access_key: Key | None = Field(
        default=None, description="porcupine: your key, best as ${VARIABLE}"
    )
    settings: dict[str, Any] = Field(
        default_factory=dict,
        repr=False,  # nobody knows which of them are secrets
        description="Settings of an engine that an installed package brings",
    )

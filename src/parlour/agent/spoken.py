"""What of a model's text can be said aloud; pure."""

import re
import unicodedata
from collections.abc import Sequence

_MARKUP = re.compile(r"[*_`#>|~]+|\[(?=[^\]]*\]\()|\]\([^)]*\)")
_THINK, _THOUGHT = "<think>", "</think>"
# What ends an answer in the formats that models are trained on. One that prints it goes on with
# what it believes the user to say, and with answers to that.
_ENDS = (
    "<|im_end|>",
    "<|im_start|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|start_header_id|>",
    "<|end|>",
    "<|end_of_text|>",
    "<|endoftext|>",
    "<|return|>",
    "<end_of_turn>",
    "<start_of_turn>",
    "</s>",
    "[INST]",
    "[/INST]",
)
_SPEAKING, _THINKING = (_THINK, *_ENDS), (_THOUGHT,)


class Spoken:
    """Takes a model's text as it comes and leaves out what is for the eye, or for itself.

    Markdown, emoji and control characters go, and everything between <think> and </think>.
    `ended`: the model has ended its answer, whatever comes then.
    """

    def __init__(self) -> None:
        self.ended = False
        self._held = ""  # may be the beginning of a tag
        self._thinking = False

    def push(self, delta: str) -> str:
        """What of it is to be said; often all of it."""
        text, self._held = self._held + delta, ""
        said = ""
        while text and not self.ended:
            tags = _THINKING if self._thinking else _SPEAKING
            before, tag, text = _cut(text, tags)
            if not tag:
                before, self._held = _split_tail(before, tags)
            if not self._thinking:
                said += before
            self.ended = tag in _ENDS
            if tag in (_THINK, _THOUGHT):
                self._thinking = not self._thinking
        return _plain(said)


def _cut(text: str, tags: Sequence[str]) -> tuple[str, str, str]:
    """What stands before the first tag, that tag, and what stands behind it."""
    places = [(at, tag) for tag in tags if (at := text.find(tag)) >= 0]
    if not places:
        return text, "", ""
    at, tag = min(places)
    return text[:at], tag, text[at + len(tag) :]


def _split_tail(text: str, tags: Sequence[str]) -> tuple[str, str]:
    """Cut off an end that may be the beginning of a tag."""
    longest = max(map(len, tags)) - 1
    for length in range(min(longest, len(text)), 0, -1):
        tail = text[-length:]
        if tail[0] in "<[" and any(tag.startswith(tail) for tag in tags):
            return text[:-length], tail
    return text, ""


def _plain(text: str) -> str:
    text = _MARKUP.sub("", text).replace("\n", " ").replace("\t", " ")
    return "".join(c for c in text if _is_said(c))


def _is_said(character: str) -> bool:
    # The joiners of the Indian scripts are format characters.
    if character in "\u200c\u200d":
        return True
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn", "So")

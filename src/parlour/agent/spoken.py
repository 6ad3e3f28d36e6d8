"""What of a model's text can be said aloud; pure."""

import re
import unicodedata

_MARKUP = re.compile(r"[*_`#>|~]+|\[(?=[^\]]*\]\()|\]\([^)]*\)")
_THINKING = ("<think>", "</think>")
LONGEST_TAG = max(map(len, _THINKING))


class Spoken:
    """Takes a model's text as it comes and leaves out what is for the eye, or for itself.

    Markdown, emoji and control characters go, and everything between <think> and </think>.
    """

    def __init__(self) -> None:
        self._held = ""  # may be the beginning of a tag
        self._thinking = False

    def push(self, delta: str) -> str:
        """What of it is to be said; often all of it."""
        text, self._held = self._held + delta, ""
        said = ""
        while text:
            tag = _THINKING[self._thinking]
            before, found, text = text.partition(tag)
            if not found:
                before, self._held = _split_tail(before, tag)
            if not self._thinking:
                said += before
            if found:
                self._thinking = not self._thinking
        return _plain(said)


def _split_tail(text: str, tag: str) -> tuple[str, str]:
    """Cut off an end that may be the beginning of `tag`."""
    for length in range(min(len(tag) - 1, len(text)), 0, -1):
        if tag.startswith(text[-length:]):
            return text[:-length], text[-length:]
    return text, ""


def _plain(text: str) -> str:
    text = _MARKUP.sub("", text).replace("\n", " ").replace("\t", " ")
    return "".join(c for c in text if _is_said(c))


def _is_said(character: str) -> bool:
    # The joiners of the Indian scripts are format characters.
    if character in "\u200c\u200d":
        return True
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn", "So")

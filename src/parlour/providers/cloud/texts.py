"""Long texts in parts that a service takes, cut where a speaker would breathe."""

import re

_ENDS = (re.compile(r"[.!?…।॥]+[\"')\]]*\s+"), re.compile(r"[,;:]\s+"), re.compile(r"\s+"))


def parts(text: str, most_chars: int) -> list[str]:
    """Cut a text so that no part is longer than `most_chars`; joined, the parts are the text."""
    found = []
    while len(text) > most_chars:
        cut = _cut(text, most_chars)
        found.append(text[:cut])
        text = text[cut:]
    return [*found, text] if text else found


def _cut(text: str, most_chars: int) -> int:
    for ends in _ENDS:
        places = [match.end() for match in ends.finditer(text, 0, most_chars)]
        if places and places[-1] > most_chars // 4:
            return places[-1]
    return most_chars


def is_speakable(text: str) -> bool:
    """Whether anything in it can be spoken: services refuse, or charge for, what cannot."""
    return any(character.isalnum() for character in text)

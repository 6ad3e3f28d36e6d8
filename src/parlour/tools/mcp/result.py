"""What a tool answered, as text for a model: short, printable, and without anything but words."""

import json
from collections.abc import Iterable, Iterator

from mcp_types import (
    AudioContent,
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

from parlour.tools.mcp.schema import clean_text

LONGEST_TEXT = 2000  # characters


def text_of(result: CallToolResult) -> str:
    """The texts of an answer, one after the other; its structured content, as compact
    JSON, where they say nothing else."""
    text = _cut(_words(block) for block in result.content)
    structured = result.structured_content
    if structured is None or (_has_text(result) and not _is_same(text, structured)):
        return text
    encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
    compact = _prefix(encoder.iterencode(structured))
    return _cut([compact] if _has_text(result) else [text, compact])


def _has_text(result: CallToolResult) -> bool:
    return any(isinstance(block, TextContent) for block in result.content)


def _is_same(text: str, structured: object) -> bool:
    """Whether a text says in JSON what is structured already, as the protocol asks servers to."""
    try:
        return bool(json.loads(text) == structured)
    except (ValueError, RecursionError):
        return False


def _words(block: ContentBlock) -> str:
    match block:
        case TextContent(text=text):
            return text
        case ImageContent():
            return "(image)"
        case AudioContent():
            return "(sound)"
        case EmbeddedResource(resource=TextResourceContents(text=text)):
            return text
        case EmbeddedResource():
            return "(file)"
        case ResourceLink():
            return "(link)"


def _cut(texts: Iterable[str]) -> str:
    """Joined as far as can be kept; what comes after that is not even looked at."""
    kept: list[str] = []
    length = 0
    for text in texts:
        if text:
            kept.append(clean_text(text, LONGEST_TEXT, lines=True))
            length += len(kept[-1]) + 1
        if length > LONGEST_TEXT:
            break
    return clean_text("\n".join(kept), LONGEST_TEXT, lines=True)


def _prefix(pieces: Iterator[str]) -> str:
    kept, length = [], 0
    for piece in pieces:
        kept.append(piece)
        length += len(piece)
        if length > LONGEST_TEXT:
            break
    return "".join(kept)

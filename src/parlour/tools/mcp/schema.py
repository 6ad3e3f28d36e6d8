"""Names, descriptions and schemas of tools as a model may see them: written outside, so cleaned.

What is kept of a schema is what every engine understands. References are resolved, so that each
schema stands alone; a part that cannot be used is left out where it is optional, and takes the
tool with it where it is required.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

LONGEST_NAME = 40  # characters, of a tool with its server's name before it
LONGEST_DESCRIPTION = 300  # characters, of a tool
LONGEST_PHRASE = 120  # characters, of a parameter
LARGEST_SCHEMA = 4096  # bytes, as compact JSON
DEEPEST = 6  # objects and lists inside each other
MOST_VALUES = 50  # of an enumeration
LONGEST_VALUE = 60  # characters
MOST_PROPERTIES = 32  # of an object
MOST_PARTS = 1000  # of a schema, each as often as it is referred to

TYPES = ("string", "integer", "number", "boolean", "array", "object")
BOUNDS = (
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
)
PROPERTY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
JOINERS = "\u200c\u200d"  # letters of Indian languages need them

Schema = Mapping[str, Any]


class UnusableError(ValueError):
    """A schema, or a part of one, that no model could be given; the text says why."""


def clean_text(text: str, longest: int, *, lines: bool = False) -> str:
    """Printable text on one line, or on several; without what cannot be seen. Cut with an ellipsis.

    Characters for direction, tags and private use are invisible to people and not to a model.
    """
    cut = text[: 4 * longest + 64]  # never work through a megabyte for 300 characters
    kept = "".join(_visible(c, lines=lines) for c in cut)
    kept = re.sub(r"\n{3,}", "\n\n", kept).strip() if lines else " ".join(kept.split())
    return kept if len(kept) <= longest else kept[: longest - 1].rstrip() + "…"


def _visible(character: str, *, lines: bool) -> str:
    if character in "\n\t" and lines or character in JOINERS:
        return character
    category = unicodedata.category(character)
    if category in ("Cf", "Co", "Cn", "Cs"):
        return ""
    return " " if category in ("Cc", "Zl", "Zp") else character


def fingerprint(name: str, description: str, schema: Schema) -> str:
    """SHA-256 of a tool as its server describes it, before anything is cleaned."""
    told = {"name": name, "description": description, "inputSchema": schema}
    canonical = json.dumps(told, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def tool_name(server: str, name: str) -> str:
    """`files` and `readFile` make `files_read_file`. A long one ends in a part of its hash.

    Raises UnusableError for a name without a letter or digit.
    """
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name[:200])
    plain = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")
    if not plain:
        raise UnusableError("its name has no letter")
    whole = f"{server}_{plain}"
    if len(whole) <= LONGEST_NAME:
        return whole
    mark = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:4]
    return f"{whole[: LONGEST_NAME - 5].rstrip('_')}_{mark}"


def clean_schema(schema: Schema) -> dict[str, Any]:
    """An object schema of its own, at most LARGEST_SCHEMA bytes. Raises UnusableError."""
    for phrases in (True, False):
        cleaned = _Cleaner(schema, phrases=phrases).read(schema, 0)
        if cleaned.get("type", "object") != "object":
            raise UnusableError("its arguments are no object")
        cleaned = {"type": "object", "properties": {}} | cleaned
        cleaned.pop("description", None)
        if len(json.dumps(cleaned, separators=(",", ":"), ensure_ascii=False)) <= LARGEST_SCHEMA:
            return cleaned
    raise UnusableError(f"its schema has more than {LARGEST_SCHEMA} bytes")


class _Cleaner:
    """One schema being read; `phrases` keeps the descriptions of parameters."""

    def __init__(self, whole: Schema, *, phrases: bool) -> None:
        self.phrases = phrases
        self._whole = whole
        self._resolving: list[str] = []
        self._parts = 0

    def read(self, schema: object, depth: int) -> dict[str, Any]:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise UnusableError(f"its schema has more than {MOST_PARTS} parts")
        if depth > DEEPEST:
            raise UnusableError(f"its schema is more than {DEEPEST} levels deep")
        if schema is True or schema == {}:
            return {}
        if not isinstance(schema, Mapping):
            raise UnusableError("a part of its schema is no object")
        if "$ref" in schema:
            return self._resolved(schema, depth)
        cleaned = self._type(schema)
        for union in ("anyOf", "oneOf", "allOf"):
            if union in schema:
                cleaned = self._union(schema[union], depth, every=union == "allOf") | cleaned
        self._values(schema, cleaned)
        if self.phrases and isinstance(phrase := schema.get("description"), str):
            cleaned["description"] = clean_text(phrase, LONGEST_PHRASE)
        if cleaned.get("type") == "array" and "items" in schema:
            cleaned["items"] = self.read(schema["items"], depth + 1)
        if isinstance(schema.get("properties"), Mapping):
            self._properties(schema, cleaned, depth)
        return cleaned

    def _type(self, schema: Schema) -> dict[str, Any]:
        kind = schema.get("type")
        kinds = [kind] if isinstance(kind, str) else kind
        if kinds is None:
            return {"type": "object"} if "properties" in schema else {}
        if not isinstance(kinds, list):
            raise UnusableError("a type is neither a name nor a list")
        known = [k for k in kinds if k in TYPES]  # null: it may be left out
        if not known:
            raise UnusableError("a type is unknown")
        return {"type": known[0]} if len(known) == 1 else {"anyOf": [{"type": k} for k in known]}

    def _values(self, schema: Schema, cleaned: dict[str, Any]) -> None:
        values = schema.get("enum", [schema["const"]] if "const" in schema else None)
        if isinstance(values, list):
            plain = [value for value in values if _is_plain(value)]
            if 0 < len(plain) <= MOST_VALUES and len(plain) >= len(values) - 1:
                cleaned["enum"] = plain
            elif values and not plain:
                raise UnusableError("none of the values of a parameter can be used")
        for bound in BOUNDS:
            value = schema.get(bound)
            if isinstance(value, int | float) and not isinstance(value, bool):
                cleaned[bound] = value
        if "default" in schema and _is_plain(schema["default"]):
            cleaned["default"] = schema["default"]

    def _properties(self, schema: Schema, cleaned: dict[str, Any], depth: int) -> None:
        said = schema.get("required")
        required = {n for n in said if isinstance(n, str)} if isinstance(said, list) else set()
        kept: dict[str, Any] = {}
        if len(schema["properties"]) > 4 * MOST_PROPERTIES:
            raise UnusableError(f"it has more than {MOST_PROPERTIES} parameters")
        for name, part in schema["properties"].items():
            try:
                if len(kept) == MOST_PROPERTIES:
                    raise UnusableError(f"it has more than {MOST_PROPERTIES} parameters")
                if not isinstance(name, str) or not PROPERTY.fullmatch(name):
                    raise UnusableError("a parameter has no usable name")
                kept[name] = self.read(part, depth + 1)
            except UnusableError:
                if name in required or self._parts > MOST_PARTS:
                    raise
        if not required <= kept.keys():
            raise UnusableError("a required parameter is not described")
        cleaned["properties"] = kept
        if required:
            cleaned["required"] = [name for name in kept if name in required]

    def _union(self, parts: object, depth: int, *, every: bool) -> dict[str, Any]:
        if not isinstance(parts, Sequence) or isinstance(parts, str) or not 0 < len(parts) <= 8:
            raise UnusableError("a choice of schemas cannot be read")
        read = [self.read(p, depth + 1) for p in parts if not _is_null(p)]
        if len(read) == 1:
            return read[0]
        if every or not read:
            raise UnusableError("schemas are to hold all at once")
        return {"anyOf": read}

    def _resolved(self, schema: Schema, depth: int) -> dict[str, Any]:
        target = schema["$ref"]
        if not isinstance(target, str) or not target.startswith("#/") or target in self._resolving:
            raise UnusableError("a reference leads out of its schema, or round in a circle")
        found: object = self._whole
        for part in target[2:].split("/"):
            found = found.get(part) if isinstance(found, Mapping) else None
        if found is None:
            raise UnusableError("a reference leads nowhere")
        self._resolving.append(target)
        try:
            cleaned = self.read(found, depth + 1)
        finally:
            self._resolving.pop()
        if self.phrases and isinstance(phrase := schema.get("description"), str):
            cleaned["description"] = clean_text(phrase, LONGEST_PHRASE)
        return cleaned


def _is_null(part: object) -> bool:
    return isinstance(part, Mapping) and part.get("type") == "null"


def _is_plain(value: object) -> bool:
    """A scalar that may stand in a prompt as it is, since it goes back to the server as it is."""
    if isinstance(value, str):
        return len(value) <= LONGEST_VALUE and value == clean_text(value, LONGEST_VALUE)
    return isinstance(value, bool | int | float)

"""Commands that ask a running server about its home, and decide about devices: home list, assign, ..."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import typer

from parlour.app.client import ask_server, state_text
from parlour.errors import InputError

NOWHERE = "-"  # of what stands in no area, or on no floor
TIERS = ("nothing can happen", "lights and the like", "may annoy", "may let somebody in or harm")

Record = Mapping[str, Any]


def list_home(*, url: str, as_json: bool) -> None:
    answer = ask_server("GET", "/api/home", url)
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    for line in listing(answer.get("entities", [])):
        typer.echo(line)
    if not answer.get("entities"):
        typer.echo("no device has announced itself yet")


def show(id_: str, *, url: str, as_json: bool) -> None:
    entity = ask_server("GET", _path(id_), url)
    if as_json:
        typer.echo(json.dumps(entity, ensure_ascii=False))
        return
    for line in description(entity):
        typer.echo(line)


def list_areas(*, url: str, as_json: bool) -> None:
    answer = ask_server("GET", "/api/home/areas", url)
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    floor_aliases = {f["name"]: f["aliases"] for f in answer.get("floors", [])}
    rows: list[_Row] = []
    for area in answer.get("areas", []):
        floor = area["floor"]
        count = len(area["devices"])
        shown = f"{count} device{'' if count == 1 else 's'}"
        head = _with(floor or NOWHERE, floor_aliases.get(floor, {}))
        rows.append(((head,), (area["name"], shown, _spoken(area["aliases"]))))
    for line in _grouped(rows):
        typer.echo(line)
    if elsewhere := answer.get("elsewhere"):
        typer.echo(f"in no area: {', '.join(elsewhere)}")


def assign(id_: str, area: str, *, may_be_new: bool, url: str, as_json: bool) -> None:
    """Raises InputError, which names the areas there are, for another that is not to be new."""
    if not may_be_new:
        check_area(area, url)
    entity = _decide(id_, {"area": area}, url, as_json)
    if not as_json:
        floor = f", {entity['floor']}" if entity.get("floor") else ""
        typer.echo(f"{entity['id']} stands in {entity['area']}{floor}")


def check_area(area: str, url: str) -> None:
    """Raises InputError, which names the areas there are, for what is none of them, nor an alias."""
    areas = ask_server("GET", "/api/home/areas", url).get("areas", [])
    called = {
        _key(name)
        for each in areas
        for name in (each["name"], *(n for names in each["aliases"].values() for n in names))
    }
    if _key(area) not in called:
        names = ", ".join(each["name"] for each in areas) or "none yet"
        raise InputError(f"there is no area {area}; known: {names}; --new makes it")


def alias(
    id_: str,
    names: Sequence[str],
    *,
    language: str | None,
    clear: bool,
    url: str,
    as_json: bool,
) -> None:
    """Add names in a language, or in every one; `clear`: forget those there were."""
    if not names and not clear:
        raise InputError("there is no name to add; --clear forgets those there are")
    before: dict[str, list[str]] = ask_server("GET", _path(id_), url).get("aliases", {})
    after: dict[str, list[str]] = {}
    if clear:
        after = {code: [] for code in ([language] if language else before)}
    key = language or ""
    kept = [] if clear else before.get(key, [])
    if names:
        after[key] = list(dict.fromkeys([*kept, *names]))
    entity = _decide(id_, {"aliases": after}, url, as_json)
    if not as_json:
        typer.echo(f"{entity['id']} can be called: {', '.join(entity['names'])}")


def expose(id_: str, wanted: bool, *, url: str, as_json: bool) -> None:
    entity = _decide(id_, {"expose": wanted}, url, as_json)
    if not as_json:
        said = "can be commanded by voice" if entity["exposed"] else "is hidden from voices"
        typer.echo(f"{entity['id']} {said}")


# ---------------------------------------------------------------- the link


def _decide(id_: str, change: Record, url: str, as_json: bool) -> dict[str, Any]:
    entity = ask_server("PATCH", _path(id_), url, change)
    if as_json:
        typer.echo(json.dumps(entity, ensure_ascii=False))
    return entity


def _path(id_: str) -> str:
    if not id_.strip() or id_ in ("areas", "watch"):
        raise InputError(f"{id_!r} is no device's id; `parlour home list` shows them")
    return f"/api/home/{quote(id_, safe='')}"


# ---------------------------------------------------------------- what people read

_Row = tuple[tuple[str, ...], tuple[str, ...]]  # the headings above it, its cells


def listing(entities: Sequence[Record]) -> Iterator[str]:
    """Every device once, by floor and area."""

    def place(entity: Record) -> tuple[bool, str, bool, str, str]:
        floor, area = entity.get("floor"), entity.get("area")
        return (not floor, floor or "", not area, area or "", str(entity["id"]))

    rows = [
        (
            (entity.get("floor") or NOWHERE, entity.get("area") or NOWHERE),
            (
                str(entity["id"]),
                str(entity["name"]),
                str(entity["kind"]),
                state_text(entity) + ("" if entity.get("exposed", True) else " (hidden)"),
            ),
        )
        for entity in sorted(entities, key=place)
    ]
    yield from _grouped(rows)


def _grouped(rows: Sequence[_Row]) -> Iterator[str]:
    """Headings where they change, and under them columns as wide as their widest text."""
    widths = [max(map(len, column)) for column in zip(*(cells for _, cells in rows), strict=True)]
    before: tuple[str, ...] = ()
    for heads, cells in rows:
        for depth, head in enumerate(heads):
            if heads[: depth + 1] != before[: depth + 1]:
                yield "  " * depth + head
        before = heads
        shown = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        yield "  " * len(heads) + shown.rstrip()


def description(entity: Record) -> Iterator[str]:
    """Everything about one device, a line each."""
    decided = {key: value for key, value in entity.get("decided", {}).items() if value != {}}
    low, high = entity.get("min"), entity.get("max")
    unit = entity.get("unit") or ""
    rows = {
        "id": entity["id"],
        "name": entity["name"],
        "called": ", ".join(entity["names"]),
        "aliases": _spoken(entity["aliases"]),
        "kind": " ".join(filter(None, (entity["kind"], entity.get("device_class")))),
        "area": entity.get("area") or NOWHERE,
        "floor": entity.get("floor") or NOWHERE,
        "can": ", ".join(entity["features"]),
        "options": ", ".join(entity["options"]),
        "range": "" if None in (low, high) else f"{low:g} to {high:g} {unit}".strip(),
        "voice": "can find it" if entity["exposed"] else "cannot find it (hidden)",
        "risk": f"{entity['risk']}: {TIERS[entity['risk']]}",
        "state": state_text(entity),
        "decided": ", ".join(decided),
    }
    for key, value in rows.items():
        if value:
            yield f"{key:<8} {value}"


def _spoken(aliases: Mapping[str, Sequence[str]]) -> str:
    return "; ".join(
        f"{language}: {', '.join(names)}" if language else ", ".join(names)
        for language, names in aliases.items()
        if names
    )


def _with(name: str, aliases: Mapping[str, Sequence[str]]) -> str:
    spoken = _spoken(aliases)
    return f"{name} ({spoken})" if spoken else name


def _key(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").split())

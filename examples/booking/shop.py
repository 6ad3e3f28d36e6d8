"""The shop behind server.py: its hours and services, and its bookings in an SQLite file."""

import hashlib
import json
import re
import secrets
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

NEXT_SLOTS = 3  # offered where a time is taken, or a day is full
KEYS_KEPT = timedelta(days=2)  # how long an Idempotency-Key is remembered

TABLES = """
CREATE TABLE IF NOT EXISTS bookings (
  id TEXT PRIMARY KEY, client TEXT NOT NULL, service TEXT NOT NULL, name TEXT NOT NULL,
  starts INTEGER NOT NULL, ends INTEGER NOT NULL, cancelled INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS by_time ON bookings (starts, ends) WHERE NOT cancelled;
CREATE TABLE IF NOT EXISTS keys (
  client TEXT NOT NULL, key TEXT NOT NULL, request TEXT NOT NULL, booking TEXT NOT NULL,
  at INTEGER NOT NULL, PRIMARY KEY (client, key)
);
"""


class ApiError(Exception):
    """`more` stands beside the error in the answer."""

    def __init__(self, status: int, code: str, message: str, **more: object) -> None:
        super().__init__(message)
        self.status, self.code, self.more = status, code, more


@dataclass(frozen=True)
class Slot:
    service: str
    start: datetime

    @property
    def id(self) -> str:
        return f"{self.service}-{self.start:%Y%m%d-%H%M}"


@dataclass(frozen=True)
class Shop:
    """What shop.yml says."""

    zone: ZoneInfo
    keys: Mapping[str, str]
    hours: Mapping[int, Sequence[tuple[time, time]]]
    services: Mapping[str, Mapping[str, Any]]
    chairs: int
    every: timedelta
    days_ahead: int
    cancel: timedelta

    @classmethod
    def read(cls, path: Path) -> "Shop":
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
        hours = {
            int(day): [(time.fromisoformat(a), time.fromisoformat(b)) for a, b in spans]
            for day, spans in said["hours"].items()
        }
        return cls(
            ZoneInfo(said["zone"]),
            said["keys"],
            hours,
            said["services"],
            said["chairs"],
            timedelta(minutes=said["every_minutes"]),
            said["days_ahead"],
            timedelta(hours=said["cancel_hours"]),
        )

    def length(self, service: str) -> timedelta:
        return timedelta(minutes=self.services[service]["minutes"])

    def slots(self, day: date, service: str) -> Iterator[Slot]:
        """All times at which it could begin on a day, free or not."""
        for opens, closes in self.hours.get(day.weekday(), ()):
            start = datetime.combine(day, opens, self.zone)
            end = datetime.combine(day, closes, self.zone)
            while start + self.length(service) <= end:
                yield Slot(service, start)
                start += self.every

    def slot(self, known: str) -> Slot:
        found = re.fullmatch(r"([a-z]+)-(\d{8})-(\d{4})", known)
        if found and found[1] in self.services:
            try:
                start = datetime.fromisoformat(f"{found[2]}T{found[3]}").replace(tzinfo=self.zone)
            except ValueError:
                start = datetime.min.replace(tzinfo=self.zone)
            slot = Slot(found[1], start)
            if slot in self.slots(start.date(), slot.service):
                return slot
        raise ApiError(404, "unknown_slot", "There is no such time.")

    def shown_service(self, service: str) -> dict[str, object]:
        return {"id": service, **self.services[service]}

    def shown(self, slot: Slot) -> dict[str, object]:
        service = self.shown_service(slot.service)
        return {"id": slot.id, "start": slot.start.isoformat(), "service": service}


class Book:
    """The shop's bookings. Each call has a connection of its own, so that many may call at once."""

    def __init__(self, shop: Shop, path: Path) -> None:
        self.shop = shop
        self._path = path
        with self._open() as connection:
            connection.executescript(f"PRAGMA journal_mode = WAL; {TABLES}")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=10, isolation_level=None)) as connection:
            connection.row_factory = sqlite3.Row
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Whoever holds this is alone: what is found free stays free until it is booked."""
        with self._open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            with connection:
                yield connection

    def free(self, day: date, service: str) -> list[Slot]:
        with self._open() as connection:
            return self._free(connection, day, service)

    def later(self, service: str, day: date, after: datetime | None = None) -> list[Slot]:
        """The next free times from a day on, or from a moment of it."""
        with self._open() as connection:
            return self._later(connection, service, day, after)

    def look(self, slot: Slot) -> None:
        """Raises ApiError where it is not free."""
        with self._open() as connection:
            self._check(connection, slot)

    def book(self, client: str, slot: str, name: str, key: str) -> tuple[dict[str, object], bool]:
        """The booking, and whether it is new. The same key books once, whatever happened to us."""
        request = hashlib.sha256(json.dumps([slot, name]).encode()).hexdigest()
        with self._writing() as connection:
            done = connection.execute(
                "SELECT request, booking FROM keys WHERE client = ? AND key = ?", (client, key)
            ).fetchone()
            if done is not None:
                if done["request"] != request:
                    raise ApiError(422, "key_reused", "This key was used for something else.")
                return self._shown(self._row(connection, client, done["booking"])), False
            wanted = self.shop.slot(slot)
            self._check(connection, wanted)
            booking, now = secrets.token_hex(4), _seconds(datetime.now(UTC))
            ends = wanted.start + self.shop.length(wanted.service)
            values = (booking, client, wanted.service, name)
            connection.execute(
                "INSERT INTO bookings (id, client, service, name, starts, ends)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (*values, _seconds(wanted.start), _seconds(ends)),
            )
            connection.execute(
                "DELETE FROM keys WHERE at < ?", (now - int(KEYS_KEPT.total_seconds()),)
            )
            connection.execute(
                "INSERT INTO keys VALUES (?, ?, ?, ?, ?)", (client, key, request, booking, now)
            )
            return self._shown(self._row(connection, client, booking)), True

    def upcoming(self, client: str) -> list[dict[str, object]]:
        with self._open() as connection:
            rows = connection.execute(
                "SELECT * FROM bookings WHERE client = ? AND NOT cancelled AND starts > ?"
                " ORDER BY starts LIMIT 20",
                (client, _seconds(datetime.now(UTC))),
            )
            return [self._shown(row) for row in rows]

    def booking(self, client: str, booking: str) -> dict[str, object]:
        with self._open() as connection:
            return self._shown(self._row(connection, client, booking))

    def cancel(self, client: str, booking: str) -> dict[str, object]:
        """To cancel twice is to cancel."""
        with self._writing() as connection:
            row = self._row(connection, client, booking)
            last = row["starts"] - int(self.shop.cancel.total_seconds())
            if not row["cancelled"] and _seconds(datetime.now(UTC)) > last:
                raise ApiError(409, "too_late", "It is too late to cancel this.")
            connection.execute("UPDATE bookings SET cancelled = 1 WHERE id = ?", (booking,))
            return self._shown(row)

    # ---------------------------------------------------------------- inside a transaction

    def _check(self, connection: sqlite3.Connection, slot: Slot) -> None:
        day = slot.start.date()
        if slot not in self._free(connection, day, slot.service):
            later = self._later(connection, slot.service, day, slot.start)
            slots = [self.shop.shown(each) for each in later]
            raise ApiError(409, "taken", "This time is taken.", slots=slots)

    def _free(self, connection: sqlite3.Connection, day: date, service: str) -> list[Slot]:
        now, length = datetime.now(self.shop.zone), self.shop.length(service)
        if not 0 <= (day - now.date()).days <= self.shop.days_ahead:
            return []
        begins = _seconds(datetime.combine(day, time(), self.shop.zone))
        rows = connection.execute(
            "SELECT starts, ends FROM bookings WHERE NOT cancelled AND ends > ? AND starts < ?",
            (begins, begins + 2 * 86_400),
        )
        held = [(row["starts"], row["ends"]) for row in rows]
        return [
            slot
            for slot in self.shop.slots(day, service)
            if slot.start > now and self._has_chair(held, slot.start, slot.start + length)
        ]

    def _has_chair(self, held: Sequence[tuple[int, int]], start: datetime, end: datetime) -> bool:
        """The most people at once are there at the start, or when one of the others comes."""
        first, last = _seconds(start), _seconds(end)
        moments = [first, *(begins for begins, _ in held if first < begins < last)]
        most = max(sum(a <= moment < b for a, b in held) for moment in moments)
        return most < self.shop.chairs

    def _later(
        self, connection: sqlite3.Connection, service: str, day: date, after: datetime | None
    ) -> list[Slot]:
        found: list[Slot] = []
        for ahead in range(self.shop.days_ahead + 1):
            free = self._free(connection, day + timedelta(days=ahead), service)
            found += [slot for slot in free if after is None or slot.start > after]
            if len(found) >= NEXT_SLOTS:
                break
        return found[:NEXT_SLOTS]

    def _row(self, connection: sqlite3.Connection, client: str, booking: str) -> sqlite3.Row:
        found: sqlite3.Row | None = connection.execute(
            "SELECT * FROM bookings WHERE id = ? AND client = ?", (booking, client)
        ).fetchone()
        if found is None:
            raise ApiError(404, "unknown_booking", "There is no such booking.")
        return found

    def _shown(self, row: sqlite3.Row) -> dict[str, object]:
        start = datetime.fromtimestamp(row["starts"], self.shop.zone)
        return {
            "id": row["id"],
            "start": start.isoformat(),
            "service": self.shop.shown_service(row["service"]),
            "name": row["name"],
        }


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())

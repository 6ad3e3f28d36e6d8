"""A calendar somebody publishes as a file: fetched when it is asked about and has grown old."""

import hashlib
import logging
import ssl
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import anyio
import httpx
from anyio import to_thread

from parlour.errors import ProviderError
from parlour.tools.calendar.events import Reading
from parlour.tools.calendar.ics import LARGEST_BYTES, Sheet, aside

log = logging.getLogger(__name__)

DEADLINE_S = 5.0  # for the first copy, and for reading one
REFRESH_DEADLINE_S = 2.0  # for a newer copy, while an older one could serve
OLDEST_S = 24 * 3600.0  # a copy older than this is not used
TRY_AGAIN_S = 60.0  # a server that failed is left alone for so long
MOST_REDIRECTS = 3


@dataclass(frozen=True, slots=True)
class FeedOptions:
    """`url` may hold a secret, as private addresses of calendars do; or a path."""

    name: str
    url: str = field(repr=False)
    refresh_s: float = 900.0


@dataclass(frozen=True, slots=True)
class _Fetched:
    """None of `data`: nothing has changed."""

    data: bytes | None
    etag: str = ""
    modified: str = ""


class Feed:
    """Satisfies `events.Readable`. Keeps the last good copy in memory."""

    def __init__(self, options: FeedOptions, zone: ZoneInfo) -> None:
        self._options = options
        self._zone = zone
        self._lock = anyio.Lock()
        self._sheet: Sheet | None = None
        self._etag = ""
        self._modified = ""
        self._digest = b""
        self._good_s = 0.0  # when the copy was last known to be true
        self._failed_s = -TRY_AGAIN_S
        self._failure = ""
        self._said_damaged = 0

    @property
    def name(self) -> str:
        return self._options.name

    async def between(self, start: datetime, end: datetime) -> Reading:
        async with self._lock:
            await self._refresh()
            sheet = self._sheet
            now_s = anyio.current_time()
            age_s = now_s - self._good_s
            if sheet is None or (self._failure and age_s > OLDEST_S):
                raise ProviderError(self.name, self._failure)
            events = await aside(self.name, lambda: sheet.between(start, end))
            self._tell_damage(sheet)
            return Reading(events, age_s if self._failure else 0.0)

    async def _refresh(self) -> None:
        now_s = anyio.current_time()
        if self._sheet is not None and now_s - self._good_s < self._options.refresh_s:
            return
        if now_s - self._failed_s < TRY_AGAIN_S:
            return
        limit_s = DEADLINE_S if self._sheet is None else REFRESH_DEADLINE_S
        try:
            with anyio.fail_after(limit_s):
                fetched = await self._fetch()
            await self._take(fetched)
        except (TimeoutError, httpx.TimeoutException):
            self._failed(f"it did not answer within {limit_s:g} seconds")
        except httpx.TooManyRedirects:
            self._failed("it redirects too often")
        except httpx.HTTPStatusError as error:
            self._failed(_status_text(error.response.status_code))
        except ProviderError as error:
            self._failed(str(error).partition(": ")[2])
        except FileNotFoundError:
            self._failed("there is no such file")
        except (httpx.HTTPError, httpx.InvalidURL, OSError):
            self._failed("it cannot be reached" if self._is_remote() else "it cannot be read")

    async def _take(self, fetched: _Fetched) -> None:
        data = fetched.data
        digest = b"" if data is None else hashlib.sha256(data).digest()
        if data is not None and digest != self._digest:
            name, zone = self.name, self._zone
            sheet = await aside(name, lambda: Sheet(data, name, zone))
            self._sheet, self._digest, self._said_damaged = sheet, digest, 0
            log.debug("%s: %d events", name, len(sheet))
        if data is not None:
            self._etag, self._modified = fetched.etag, fetched.modified
        self._good_s, self._failure, self._failed_s = anyio.current_time(), "", -TRY_AGAIN_S

    def _failed(self, reason: str) -> None:
        if reason != self._failure:
            log.warning("calendar %s: %s", self.name, reason)
        self._failure, self._failed_s = reason, anyio.current_time()

    def _tell_damage(self, sheet: Sheet) -> None:
        if sheet.damaged > self._said_damaged:
            log.warning("calendar %s: %d damaged events are left out", self.name, sheet.damaged)
            self._said_damaged = sheet.damaged

    def _is_remote(self) -> bool:
        return self._options.url.startswith(("http://", "https://"))

    async def _fetch(self) -> _Fetched:
        if not self._is_remote():
            return await self._read_file()
        headers = {"Accept": "text/calendar, */*;q=0.1"}
        if self._sheet is not None:
            headers |= {"If-None-Match": self._etag} if self._etag else {}
            headers |= {"If-Modified-Since": self._modified} if self._modified else {}
        tls = await to_thread.run_sync(_tls)
        async with (
            httpx.AsyncClient(
                follow_redirects=True, max_redirects=MOST_REDIRECTS, verify=tls, timeout=None
            ) as client,
            client.stream("GET", self._options.url, headers=headers) as response,
        ):
            if response.status_code == httpx.codes.NOT_MODIFIED:
                return _Fetched(None)
            response.raise_for_status()
            data = bytearray()
            async for chunk in response.aiter_bytes(65_536):
                data += chunk
                self._check_size(len(data))
            found = response.headers
            return _Fetched(bytes(data), found.get("etag", ""), found.get("last-modified", ""))

    async def _read_file(self) -> _Fetched:
        def read() -> _Fetched:
            path = Path(self._options.url.removeprefix("file://")).expanduser()
            stat = path.stat()
            stamp = f"{stat.st_mtime_ns}-{stat.st_size}"
            if self._sheet is not None and stamp == self._modified:
                return _Fetched(None)
            self._check_size(stat.st_size)
            return _Fetched(path.read_bytes(), modified=stamp)

        return await to_thread.run_sync(read, abandon_on_cancel=True)

    def _check_size(self, size: int) -> None:
        if size > LARGEST_BYTES:
            raise ProviderError(self.name, f"it is larger than {LARGEST_BYTES // 1_000_000} MB")


def _status_text(status: int) -> str:
    if status in (401, 403):
        return "the server does not let us in; the address may have changed"
    if status in (404, 410):
        return "there is no calendar at its address any more"
    return f"the server answers with error {status}"


@cache
def _tls() -> ssl.SSLContext:
    """Reading all authorities of the machine takes a while, so it is done once, and aside."""
    return httpx.create_ssl_context()

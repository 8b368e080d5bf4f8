"""Asking Airflow's REST API: the version found, the right credentials, pages put together, errors in words."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode

from opsconsole.config.settings import AirflowSettings
from opsconsole.core.clean import clean_line
from opsconsole.core.reading import Answer, Capabilities, Query, SourceError
from opsconsole.sources.airflow.errors import AirflowError, detail_of, refusal
from opsconsole.sources.airflow.login import Login
from opsconsole.sources.http_client import HttpClient, parsed

T = TypeVar("T")
Params = tuple[tuple[str, str], ...]

_PATIENCE = 1800.0
"""Seconds without a byte of a text after which it is given up. Airflow 3 reads all of a log before it sends any of it
(100 MB take a minute of CPU), and goes on with that when nobody listens any more: who asks again makes it slower
still."""
_LONGEST_LINE = 1024 * 1024
"""Characters of a line from which it comes in pieces, of less than twice as many."""
PAGE = 100
"""Entries that Airflow gives at once, unless its `maximum_page_limit` says otherwise."""


@dataclass(frozen=True, slots=True)
class Version:
    """Which Airflow answers."""

    major: int
    """2 or 3."""
    text: str

    @property
    def base(self) -> str:
        """Where its API is: `/api/v1` or `/api/v2`."""
        return f"/api/v{self.major - 1}"


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Entries of a list, and how many there are in all (as Airflow counts them)."""

    entries: tuple[T, ...]
    total: int

    @property
    def cut(self) -> bool:
        """There are more than were asked for."""
        return self.total > len(self.entries)


def path(*parts: str) -> str:
    """A path below the API's base; whatever a DAG or run is called, it stays one part of it."""
    # A part that is nothing but dots would be taken for a step up.
    return "/" + "/".join(part.replace(".", "%2E") if part in (".", "..") else quote(part, safe="~") for part in parts)


class AirflowSource:
    """One Airflow. Connects when first asked; finds out then whether it is a 2 or a 3.

    Equal questions under way are one request. Every method raises SourceError; an answer that is no success is an
    `AirflowError`, with its status.
    """

    def __init__(self, settings: AirflowSettings, *, name: str = "airflow") -> None:
        self.name = name
        self._http = HttpClient(name, settings)
        self._login = Login(name, settings)
        self._version: Version | None = None
        self._entering = asyncio.Lock()

    @property
    def place(self) -> str:
        """`host:port`, as messages name it."""
        return self._http.place

    @property
    def url(self) -> str:
        """Where it is, without credentials."""
        return self._http.url

    @property
    def clock_ahead(self) -> float:
        """Seconds by which its clock is ahead of ours; 0 where none can be told."""
        return self._http.clock.ahead

    async def version(self) -> Version:
        """Which Airflow this is; asked once, and again after it was away: it may come back as another."""
        self._settle()
        if self._version is None:
            self._version = await self._http.shared("version", self._find_version)
        return self._version

    async def get(self, where: str, params: Iterable[tuple[str, str]] = (), *, what: str = "read it") -> Any:
        """The JSON at `where` (below the API's base). `what` is said in errors: `may not WHAT`."""
        given = tuple(params)
        self._settle()
        return await self._http.shared((where, given), lambda: self._asked("GET", where, given, None, what))

    async def pages(
        self,
        where: str,
        key: str,
        make: Callable[[Mapping[str, Any]], T],
        params: Iterable[tuple[str, str]] = (),
        *,
        most: int,
        what: str = "read it",
    ) -> Page[T]:
        """What `make` makes of up to `most` entries under `key` of the list at `where`: the first page, then the others
        at once. No more than the pages under way are held as they came, which take ten times as much.

        Airflow may give less on a page than it was asked for (`maximum_page_limit`): what it gave is then the size.
        """
        given = tuple(params)
        first, total = await self._page(where, key, make, given, min(PAGE, most), 0, what)
        wanted = min(most, total)
        if not first or len(first) >= wanted:
            return Page(tuple(first[:most]), max(total, len(first)))
        size = len(first)
        rest = await asyncio.gather(
            *(self._page(where, key, make, given, size, offset, what) for offset in range(size, wanted, size))
        )
        entries = [*first, *(one for page, _ in rest for one in page)]
        return Page(tuple(entries[:most]), total)

    async def _page(
        self, where: str, key: str, make: Callable[[Mapping[str, Any]], T], params: Params, limit: int, offset: int,
        what: str,
    ) -> tuple[list[T], int]:  # fmt: skip
        answer = await self.get(where, (*params, ("limit", str(limit)), ("offset", str(offset))), what=what)
        found = answer.get(key) if isinstance(answer, dict) else None
        if not isinstance(found, list):
            raise self._garbage(where)
        total = answer.get("total_entries")
        made = [make(one) for one in found if isinstance(one, dict)]
        return made, total if isinstance(total, int) else len(found)

    async def send(
        self, method: str, where: str, body: Any = None, params: Iterable[tuple[str, str]] = (), *, what: str
    ) -> Any:
        """Change something; never sent a second time, except after a 401, which changed nothing."""
        return await self._asked(method, where, tuple(params), body, what)

    async def lines(
        self, where: str, params: Iterable[tuple[str, str]] = (), *, accept: str, what: str
    ) -> AsyncIterator[str]:
        """The lines of a text that may be of any length, as they come; one of several megabytes in pieces."""
        version = await self.version()
        url = self._at(version, where, tuple(params))
        headers = await self._let_in(version)
        for last in (False, True):
            async with self._http.stream("GET", url, {**headers, "Accept": accept}, patience=_PATIENCE) as response:
                if response.status_code < 300:
                    async for line in lines_of(response.aiter_text()):
                        yield line
                    return
                body = await self._http.body(response)
                status = _status_meant(response.status_code, body)
                if status != 401 or last:
                    raise self._refusal(status, body, what)
            headers = await self._let_in(version, headers)

    async def probe(self) -> Capabilities:
        """Which Airflow this is, and whether it lets us in."""
        version = await self.version()
        await self.get("/dags", (("limit", "1"),), what="list DAGs")
        return Capabilities("Airflow", version.text, frozenset({f"api-v{version.major - 1}"}))

    async def read(self, query: Query) -> Answer:
        """Panes cannot ask Airflow's API: there is no query language in it.

        Raises:
            SourceError: always; the metadata database can be asked in SQL.
        """
        raise SourceError(self.name, "unsupported", "the API has no query language", hint="ask its database in SQL")

    async def close(self) -> None:
        """Call off what is under way and let go of connections."""
        await self._http.close()

    async def _find_version(self) -> Version:
        headers = await self._login.around()
        for major in (3, 2):
            version = Version(major, "")
            status, body = await self._exchange("GET", self._at(version, "/version", ()), headers)
            if status == 200:
                try:
                    return Version(major, clean_line(json.loads(body)["version"], limit=40))
                except (ValueError, KeyError, TypeError):
                    continue
            if status >= 500:
                raise refusal(self.name, status, body, "say its version", self._login.who)
        raise SourceError(
            self.name, "garbage", f"what answers at {self.place} is no Airflow 2 or 3", hint="is the path in url right?"
        )

    async def _asked(self, method: str, where: str, params: Params, body: Any, what: str) -> Any:
        version = await self.version()
        url = self._at(version, where, params)
        content = None if body is None else json.dumps(body).encode()
        headers = await self._let_in(version)
        status, answer = await self._exchange(method, url, headers, content)
        if status == 401:
            renewed = await self._let_in(version, headers)
            if renewed != headers:
                status, answer = await self._exchange(method, url, renewed, content)
        if status == 403 and version.major == 2:
            status = await self._meant_by_403(version, headers)
        if status == 404:
            await self._see_that_it_is(version)
        if status >= 300:
            raise self._refusal(status, answer, what)
        if not answer:
            return None
        try:
            return await parsed(answer)
        except (ValueError, RecursionError):
            raise self._garbage(where) from None

    async def _see_that_it_is(self, version: Version) -> None:
        """Nothing is where an Airflow of another version has nothing, either.

        Raises:
            SourceError: another one answers now; it is asked from the next time on.
        """
        status, _ = await self._exchange("GET", self._at(version, "/version", ()), await self._login.around())
        if status == 404:
            self._version = None
            raise SourceError(self.name, "gone", f"Airflow {version.text} is gone: another version answers")

    async def _let_in(self, version: Version, refused: dict[str, str] | None = None) -> dict[str, str]:
        """The headers for a request; after a 401 to `refused` those to try next, the same where there are no better.
        One at a time: who waits finds the token that another one was given."""
        async with self._entering:
            if refused is None:
                return await self._login.headers(version.major, self._post)
            return await self._login.renewed(refused, version.major, self._post) or refused

    async def _meant_by_403(self, version: Version, headers: dict[str, str]) -> int:
        """Airflow 2 says 403 to who is not let in, too; who is may at least list DAGs, whatever the role."""
        url = self._at(version, "/dags", (("limit", "1"),))
        status, _ = await self._exchange("GET", url, headers)
        return 401 if status == 403 else 403

    def _refusal(self, status: int, answer: bytes, what: str) -> AirflowError:
        if status < 400:
            return AirflowError(
                self.name, "refused", f"sends {what} somewhere else ({status}): a log-in page?", status=status
            )
        return refusal(self.name, status, answer, what, self._login.who, self._login.remedy)

    async def _post(self, where: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        return await self._exchange("POST", self.url + where, headers, body)

    async def _exchange(
        self, method: str, url: str, headers: dict[str, str], content: bytes | None = None
    ) -> tuple[int, bytes]:
        try:
            status, body = await self._http.exchange(method, url, headers, content)
        except SourceError as error:
            if error.kind == "unreachable":
                self._version = None
            raise
        return _status_meant(status, body), body

    def _at(self, version: Version, where: str, params: Params) -> str:
        query = f"?{urlencode(params)}" if params else ""
        return f"{self.url}{version.base}{where}{query}"

    def _garbage(self, where: str) -> SourceError:
        return SourceError(self.name, "garbage", f"the answer to {where} is not what Airflow gives")

    def _settle(self) -> None:
        if self._http.settle():
            self._entering = asyncio.Lock()


def _status_meant(status: int, body: bytes) -> int:
    """Airflow 3 says 403 of a token that is none or has expired; a role that is too small has no word about tokens."""
    return 401 if status == 403 and "token" in detail_of(body).lower() else status


async def lines_of(chunks: AsyncIterator[str]) -> AsyncIterator[str]:
    """The lines in `chunks`, without their ends. What came compressed may be a thousand times as long as what came."""
    rest = ""
    async for chunk in chunks:
        for at in range(0, len(chunk), _LONGEST_LINE):
            *whole, rest = (rest + chunk[at : at + _LONGEST_LINE]).split("\n")
            for line in whole:
                yield line
            if len(rest) >= _LONGEST_LINE:
                yield rest
                rest = ""
    if rest:
        yield rest


__all__ = ["PAGE", "AirflowError", "AirflowSource", "Page", "Params", "Version", "lines_of", "path"]

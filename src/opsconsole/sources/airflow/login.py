"""Who the console is to Airflow: a token that is asked for with user and password and renewed (3), basic (2), or a
token that somebody else makes (both).
"""

import base64
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from opsconsole.config.secrets import remember
from opsconsole.config.settings import AirflowSettings
from opsconsole.core.reading import SourceError
from opsconsole.core.secret import Secret
from opsconsole.sources.http_auth import Credentials

_EARLY = 30.0
"""Seconds before its end from which a token is renewed: a request that is under way should not meet it. Of
one that holds for a shorter time a third of it."""

Post = Callable[[str, bytes, dict[str, str]], Awaitable[tuple[int, bytes]]]
"""(path, body, headers) -> (status, body)."""


class Login:
    """The headers that let a request in. Everything here may be called from several tasks at once."""

    def __init__(self, source: str, settings: AirflowSettings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._settings = settings
        self._clock = clock
        self._whole = Credentials(source, settings)
        self._around = Credentials(source, replace(settings, username="", password=None))
        self._token: str = ""
        self._until = 0.0

    @property
    def who(self) -> str:
        """Who asks, as errors name it."""
        if self._settings.username:
            return f"user {self._settings.username}"
        return "the token" if self._settings.bearer_token is not None else "a request without credentials"

    @property
    def remedy(self) -> str:
        """What to do about a 401 that no renewal helps."""
        token, password = self._settings.bearer_token, self._settings.password
        if self._settings.username:
            return f"the password is that of {password.describe()}" if password is not None else "no password is set"
        if token is None:
            return "set username and password, token or token_command under airflow"
        if token.command:
            return f"{token.describe()} gave it, asked again just now: run it by hand"
        if token.file is not None:
            return f"wrong or expired: put a new one into {token.describe()}, it is read again; or set token_command"
        return f"wrong or expired: a new one belongs into {token.describe()}; token_command renews it by itself"

    async def around(self) -> dict[str, str]:
        """The headers for what everybody may ask: what a proxy in front wants, and a configured token."""
        return await _fetched(self._around)

    async def headers(self, major: int, post: Post) -> dict[str, str]:
        """The headers for Airflow `major`; `post` sends what asks for a token.

        Raises:
            SourceError: a secret cannot be had, or user and password are not accepted.
        """
        if major < 3 or not self._settings.username:
            return await _fetched(self._whole)
        if not self._token or self._clock() >= self._until:
            await self._log_in(post)
        return {**await self.around(), "Authorization": f"Bearer {self._token}"}

    async def renewed(self, refused: dict[str, str], major: int, post: Post) -> dict[str, str] | None:
        """The headers after a 401 to `refused`; None where nothing better is to be had."""
        import asyncio

        if major < 3 or not self._settings.username:
            return await asyncio.to_thread(self._whole.renewed, refused)
        if refused.get("Authorization") == f"Bearer {self._token}":
            self._token = ""
        return await self.headers(major, post)

    async def _log_in(self, post: Post) -> None:
        import asyncio

        name, password = self._settings.username, ""
        if self._settings.password is not None:
            # As basic credentials, whose secret is fetched anew: passwords rotate.
            password = await asyncio.to_thread(self._password)
        body = json.dumps({"username": name, "password": password}).encode()
        began = self._clock()
        status, answer = await post("/auth/token", body, await self.around())
        if status in (404, 405):
            raise SourceError(
                self._source, "unsupported", "this Airflow gives no token for user and password",
                hint="its auth manager has no /auth/token: set token or token_command",
            )  # fmt: skip
        if status >= 400:
            from opsconsole.sources.airflow.errors import refusal

            raise refusal(self._source, 401 if status == 422 else status, answer, "log in", self.who, self.remedy)
        token = _token_of(answer)
        if not token:
            raise SourceError(self._source, "garbage", "the answer to the log-in holds no token")
        remember(Secret(token))
        self._token, self._until = token, began + _usable(token)

    def _password(self) -> str:
        assert self._settings.password is not None
        from opsconsole.config.secrets import SecretError

        try:
            return self._settings.password.reveal()
        except SecretError as error:
            raise SourceError(self._source, "refused", str(error), hint="no credentials to send") from None


async def _fetched(credentials: Credentials) -> dict[str, str]:
    import asyncio

    known = credentials.known
    return known if known is not None else await asyncio.to_thread(credentials.headers)


def _token_of(answer: bytes) -> str:
    try:
        token = json.loads(answer)["access_token"]
    except (ValueError, KeyError, TypeError):
        return ""
    return token if isinstance(token, str) and token.isascii() and token.isprintable() else ""


def _usable(token: str) -> float:
    """Seconds from its making for which a token is sent."""
    whole = _lifetime(token)
    return whole - min(_EARLY, whole / 3)


def _lifetime(token: str) -> float:
    """Seconds that a JWT holds from its making, by its own claims: no clock of ours is compared with the server's.
    One that does not say is taken for ten minutes; when it ends earlier, a 401 says so."""
    try:
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return max(1.0, float(claims["exp"]) - float(claims.get("iat", claims.get("nbf"))))
    except (IndexError, ValueError, KeyError, TypeError):
        return 600.0

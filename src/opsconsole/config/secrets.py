"""Where a secret comes from, and getting it when it is needed: at each connection, not at start."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from opsconsole.core.secret import Secret

_LIMIT = 65_536
_TIMEOUT = 10.0  # a secret store that takes longer than this is down, and the operator is waiting
_known: set[Secret] = set()


class SecretError(Exception):
    """A secret could not be had. The message names where it should come from, never any of it."""


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Where a secret is: an environment variable, a file, the output of a command, or (discouraged) right here."""

    env: str = ""
    file: Path | None = None
    command: tuple[str, ...] = ()
    literal: Secret | None = None

    @classmethod
    def of(cls, text: str) -> "SecretRef":
        """A reference to `text` itself."""
        return cls(literal=Secret(text))

    def resolve(self) -> Secret:
        """Fetch the secret now; what was fetched is known to `known_secrets` from then on.

        A command runs for up to ten seconds: call this off the event loop.

        Raises:
            SecretError: the variable is not set, the file cannot be read, the command fails or says nothing.
        """
        secret = self.literal or Secret(self._fetch())
        remember(secret)
        return secret

    def reveal(self) -> str:
        """`resolve().reveal()`."""
        return self.resolve().reveal()

    def describe(self) -> str:
        """Where it comes from, for people: `$NAME`, `file /run/secrets/x`, `command vault`, `the configuration`."""
        if self.env:
            return f"${self.env}"
        if self.file is not None:
            return f"file {self.file}"
        return f"command {self.command[0]}" if self.command else "the configuration"

    def _fetch(self) -> str:
        if self.env:
            value = os.environ.get(self.env)
            if value is None:
                raise SecretError(f"environment variable {self.env} is not set")
            return value
        if self.file is not None:
            return _from_file(self.file)
        if self.command:
            return _from_command(self.command)
        return ""


def remember(secret: Secret) -> None:
    """Have `secret` masked wherever text leaves the console; a URL's or DSN's password on its own, too."""
    _known.add(secret)
    if password := dsn_password(secret.reveal()):
        _known.add(Secret(password))


def known_secrets() -> tuple[Secret, ...]:
    """Every secret resolved so far, for `core.secret.mask`."""
    return tuple(_known)


def dsn_password(dsn: str) -> str:
    """The password that a URL or a `key=value` connection string holds in plain text, or nothing."""
    if "://" in dsn:
        try:
            parts = urlsplit(dsn)
        except ValueError:
            return ""
        if parts.password:
            return unquote(parts.password)
        pairs = [pair.partition("=") for pair in parts.query.split("&")]
        return next((unquote(value) for key, _, value in pairs if key == "password"), "")
    return conninfo(dsn).get("password", "")


def conninfo(text: str) -> dict[str, str]:
    """The pairs of a libpq `key=value` connection string, quotes and backslashes taken off.

    Empty where `text` is none. libpq is the judge at connection time; this only looks.
    """
    pairs: dict[str, str] = {}
    position = 0
    while position < len(text):
        equals = text.find("=", position)
        key = text[position:equals].strip() if equals >= 0 else ""
        if not key.isidentifier():
            return {} if text[position:].strip() else pairs
        value, position = _conninfo_value(text, equals + 1)
        pairs[key] = value
    return pairs


def _conninfo_value(text: str, position: int) -> tuple[str, int]:
    while position < len(text) and text[position].isspace():
        position += 1
    quoted = text[position : position + 1] == "'"
    position += quoted
    value = ""
    while position < len(text):
        character = text[position]
        if character == "\\" and position + 1 < len(text):
            position += 1
            character = text[position]
        elif character == "'" and quoted:
            return value, position + 1
        elif character.isspace() and not quoted:
            break
        value += character
        position += 1
    return value, position


def _from_file(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise SecretError(f"secret file {path} is not a regular file")
            content = file.read(_LIMIT + 1)
    except OSError as error:
        raise SecretError(f"secret file {path} cannot be read: {error.strerror}") from None
    return _as_text(content, f"secret file {path}")


def _from_command(argv: tuple[str, ...]) -> str:
    import subprocess

    name = f"secret command {argv[0]}"
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        raise SecretError(f"{name} did not end within {_TIMEOUT:g} s") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SecretError(f"{name} cannot be run: {reason}") from None
    if done.returncode != 0:
        # What it wrote is not repeated: a failing helper may well print what it was about to hand over.
        raise SecretError(f"{name} ended with exit code {done.returncode}; run it by hand to see why")
    return _as_text(done.stdout, name)


def _as_text(content: bytes, name: str) -> str:
    if len(content) > _LIMIT:
        raise SecretError(f"{name} gave more than {_LIMIT} bytes")
    try:
        text = content.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise SecretError(f"{name} gave bytes that are not UTF-8") from None
    if not text:
        raise SecretError(f"{name} gave nothing")
    return text

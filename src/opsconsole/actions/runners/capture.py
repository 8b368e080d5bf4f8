"""`$OPS_OUT`: how a step hands values to later steps.

`NAME=value` on a line, or for several lines

    NAME<<END
    first
    second
    END

Only declared names count, and a value is text: no control characters.
"""

import os
import re
import stat
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from opsconsole.core.secret import Secret, forms

LIMIT = 64 * 1024
"""Bytes of the whole file."""
_PAIR = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
_HEREDOC = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)<<(\S+)")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class CaptureError(ValueError):
    """What a step wrote cannot be taken over; the message says what and why."""


@dataclass(frozen=True, slots=True)
class Captured:
    """What was taken over, and which names were ignored because nobody declared them."""

    pairs: tuple[tuple[str, str], ...] = ()
    ignored: tuple[str, ...] = ()


def read(path: Path, declared: Collection[str], secrets: Iterable[Secret] = ()) -> Captured:
    """The values in the file `path`; of a name written twice the last. A file that is not there holds none.

    Raises:
        CaptureError: too large, not UTF-8, a line that is neither form, a control character, a secret.
    """
    written = _parse(_text(path))
    kept = {name: value for name, value in written.items() if name in declared}
    for name, value in kept.items():
        if _CONTROL.search(value):
            raise CaptureError(f"the value of {name} holds a control character")
        if any(spelling in value for secret in secrets for spelling in forms(secret)):
            raise CaptureError(f"the value of {name} holds a secret, which is not handed on")
    return Captured(tuple(kept.items()), tuple(name for name in written if name not in kept))


def _text(path: Path) -> str:
    try:
        # The step may have put anything there: no link is followed, no pipe waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise CaptureError(f"$OPS_OUT cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise CaptureError("$OPS_OUT is not a file any more")
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(LIMIT + 1)
    if len(content) > LIMIT:
        raise CaptureError(f"$OPS_OUT has more than {LIMIT} bytes")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CaptureError("$OPS_OUT is not UTF-8") from error


def _parse(text: str) -> dict[str, str]:
    written: dict[str, str] = {}
    lines = iter(enumerate(text.split("\n"), 1))
    for number, raw in lines:
        line = raw.removesuffix("\r")
        if not line.strip():
            continue
        if opened := _HEREDOC.fullmatch(line):
            body = []
            for _, inner in lines:
                if inner.removesuffix("\r") == opened[2]:
                    break
                body.append(inner.removesuffix("\r"))
            else:
                raise CaptureError(f"line {number} of $OPS_OUT opens {opened[1]}<<{opened[2]}, which does not end")
            written[opened[1]] = "\n".join(body)
        elif pair := _PAIR.fullmatch(line):
            written[pair[1]] = pair[2]
        else:
            raise CaptureError(f"line {number} of $OPS_OUT is neither NAME=value nor NAME<<END")
    return written

"""Errors on the line: described by the supervisor, raised again where the request came from."""

from collections.abc import Mapping
from typing import Any

from opsconsole.config.secrets import SecretError
from opsconsole.core.problem import ContentError, Problem
from opsconsole.runbooks.encoding import decode, encode
from opsconsole.runbooks.lock import LockHeldError
from opsconsole.runbooks.record import RunCarriedError
from opsconsole.runbooks.states import IllegalTransitionError
from opsconsole.store.journal import JournalError


class WatchingError(IllegalTransitionError):
    """Only the driver of a run decides, and that is somebody else."""


class StepCancelledError(Exception):
    """The step was ended before its time, and that is recorded."""


def described(error: Exception) -> dict[str, Any]:
    """An error, so that the other end can raise it again."""
    message = str(error) or type(error).__name__
    match error:
        case ContentError():
            return {"kind": "content", "problems": encode(error.problems)}
        case LockHeldError():
            return {"kind": "locked", "key": error.key, "holder": encode(error.holder)}
        case OSError():
            return {"kind": "os", "message": error.strerror or message, "errno": error.errno, "file": error.filename}
        case JournalError():
            return {"kind": "journal", "code": error.kind, "message": message}
        case KeyError() | TypeError():
            return {"kind": "value", "message": f"the request is incomplete: {message}"}
    kinds: tuple[tuple[type[Exception], str], ...] = (
        (WatchingError, "watching"),
        (IllegalTransitionError, "illegal"),
        (StepCancelledError, "cancelled"),
        (RunCarriedError, "carried"),
        (SecretError, "secret"),
    )
    return {"kind": next((kind for one, kind in kinds if isinstance(error, one)), "value"), "message": message}


def raised(description: Mapping[str, Any]) -> Exception:
    """The error that `description` is of."""
    message = str(description.get("message", ""))
    match description.get("kind"):
        case "content":
            return ContentError(decode(list[Problem], description.get("problems")))
        case "locked":
            return LockHeldError(str(description.get("key")), dict(description.get("holder") or {}))
        case "os":
            number, file = description.get("errno"), description.get("file")
            return OSError(number, message, *([file] if file else [])) if number else OSError(message)
        case "journal":
            return JournalError(str(description.get("code")), message)
        case "watching":
            return WatchingError(message)
        case "illegal":
            return IllegalTransitionError(message)
        case "cancelled":
            return StepCancelledError(message)
        case "carried":
            return RunCarriedError(message)
        case "secret":
            return SecretError(message)
    return ValueError(message)

"""Values that must not be seen: in a repr, a log, a traceback, a journal or an export."""

import base64
from collections.abc import Iterable
from urllib.parse import quote

MASK = "***"
_SHORTEST = 4  # masking every "a" of an output would destroy it and tell the secret


class Secret:
    """A string that shows itself only to `reveal()`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself, for the one call that needs it."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> str:
        raise TypeError("a secret is not pickled")


def forms(secret: Secret) -> tuple[str, ...]:
    """The spellings under which `secret` may turn up in text: plain, percent-encoded, base64."""
    value = secret.reveal()
    if len(value) < _SHORTEST:
        return ()
    encoded = base64.b64encode(value.encode()).decode()
    return tuple(dict.fromkeys((value, quote(value, safe=""), encoded, encoded.rstrip("="))))


def mask(text: str, secrets: Iterable[Secret]) -> str:
    """`text` with every spelling of every secret replaced; the longest first, so that no tail is left."""
    spellings = {spelling for secret in secrets for spelling in forms(secret)}
    for spelling in sorted(spellings, key=len, reverse=True):
        text = text.replace(spelling, MASK)
    return text

"""Taking secrets out of output that comes in pieces cut anywhere."""

import base64
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

from opsconsole.core.secret import MASK, Secret, forms

_MASK = MASK.encode()
_SHORTEST = 5  # characters of base64 that come out alike by chance once in a billion
_HEAD = 8  # compared before the rest is copied for the whole comparison


def spellings(secret: Secret) -> tuple[bytes, ...]:
    """The bytes under which `secret` may turn up: plain, percent-encoded, base64 alone and inside a longer text.

    Empty for a secret too short to be masked without destroying the output.
    """
    plain = forms(secret)
    if not plain:
        return ()
    value = secret.reveal().encode("utf-8", "surrogateescape")
    texts = {text.encode("utf-8", "surrogateescape") for text in plain}
    for encoded in (quote(value, safe=""), quote(value, safe="/"), quote_plus(value)):
        texts |= {encoded.encode(), encoded.lower().encode() if "%" in encoded else encoded.encode()}
    for shift in range(3):
        texts |= _embedded(value, shift)
    return tuple(sorted(texts, key=len, reverse=True))


def _embedded(value: bytes, shift: int) -> set[bytes]:
    """The part of `value`'s base64 that stays the same whatever stands before (`shift` bytes, modulo 3) and after:
    `user:password` in a Basic authorization header."""
    first = -(-shift * 8 // 6)
    last = (shift + len(value)) * 8 // 6
    found = set()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        stable = encode(bytes(shift) + value)[first:last]
        if len(stable) >= _SHORTEST:
            found.add(stable)
    return found


class StreamMasker:
    """Masks secrets in a stream: `feed` pieces, `flush` at the end.

    It holds back the end of a piece as long as that could be the beginning of a secret, at most as many bytes as
    the longest spelling has.
    """

    def __init__(self, secrets: Iterable[Secret]) -> None:
        found = {spelling for secret in secrets for spelling in spellings(secret)}
        self._spellings = tuple(sorted(found, key=len, reverse=True))
        self._longest = len(self._spellings[0]) if found else 0
        self._held = b""

    def feed(self, piece: bytes) -> bytes:
        """What can be shown of everything fed so far and not shown yet."""
        if not self._spellings:
            return piece
        text = self._held + piece
        shown, rest = self._masked(text, final=False)
        self._held = rest
        return shown

    def flush(self) -> bytes:
        """The rest."""
        shown, _ = self._masked(self._held, final=True)
        self._held = b""
        return shown

    def _masked(self, text: bytes, *, final: bool) -> tuple[bytes, bytes]:
        hold = len(text) if final else self._hold_from(text)
        shown = bytearray()
        position = 0
        for start, end in _merged(self._matches(text)):
            if start >= hold:
                break
            if end > hold and end - start <= 2 * self._longest:
                hold = start  # another secret may begin inside this one; with both there, both go
                break
            shown += text[position:start] + _MASK
            position = end
            hold = max(hold, end)
        shown += text[position:hold]
        return bytes(shown), text[hold:]

    def _matches(self, text: bytes) -> list[tuple[int, int]]:
        found = []
        for spelling in self._spellings:
            start = text.find(spelling)
            while start >= 0:
                found.append((start, start + len(spelling)))
                start = text.find(spelling, start + 1)
        return sorted(found)

    def _hold_from(self, text: bytes) -> int:
        """Where the earliest end of `text` begins that is the beginning of a spelling; its length if none is."""
        hold = len(text)
        for spelling in self._spellings:
            position = text.find(spelling[:1], max(0, len(text) - len(spelling) + 1), hold)
            while position >= 0:
                if text.startswith(spelling[: min(_HEAD, len(text) - position)], position) and spelling.startswith(
                    text[position:]
                ):
                    hold = position
                    break
                position = text.find(spelling[:1], position + 1, hold)
        return hold


def _merged(intervals: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sorted intervals with those that touch or overlap made one."""
    merged: list[tuple[int, int]] = []
    for start, end in intervals:
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged

"""The only gate from outside text to a widget or a terminal.

Query texts, labels, log lines and command output can carry terminal escapes (OSC 52 writes the operator's
clipboard), direction overrides that disguise a command, and megabytes. `clean` makes all of it visible and inert.
Markup is no concern here: nothing that the console paints is ever parsed as markup.
"""

import re

MAX_LENGTH = 10_000

# C0 without tab and newline, DEL, C1 (8-bit escapes), line and paragraph separators, direction controls,
# zero-width and other invisible format characters, lone surrogates, tags, and the byte-order mark.
_HOSTILE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ud800-\udfff\ufeff\ufff9-\uffff\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)
_CONTROL_PICTURES = 0x2400


def _visible(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(_CONTROL_PICTURES + code)
    return "␡" if code == 0x7F else "�"


def clean(text: object, *, limit: int = MAX_LENGTH) -> str:
    """`text` as something safe to show: control and invisible characters replaced, length capped.

    Newlines and tabs stay; a carriage return before a newline goes. What was cut is counted in the text.
    """
    raw = text if isinstance(text, str) else str(text)
    total = len(raw)
    if total <= limit and raw.isascii() and raw.isprintable():  # nearly every text; a fifth of the time
        return raw
    if total > limit:
        raw = raw[:limit]
    # Plain text is most of what comes, and looking at its bytes is a hundred times faster than the search.
    plain = raw.isascii() and raw.isprintable()
    shown = raw if plain else _HOSTILE.sub(_visible, raw.replace("\r\n", "\n"))
    return shown if total <= limit else f"{shown}… ({total - limit} more characters)"


def clean_line(text: object, *, limit: int = 500) -> str:
    """`clean`, on one line: newlines become `⏎`, tabs a space."""
    line = clean(text, limit=limit)
    return line.replace("\n", "⏎").replace("\t", " ")


def clean_bytes(data: bytes, *, limit: int = MAX_LENGTH) -> str:
    """Bytes of unknown origin as safe text: UTF-8, what is not becomes `�`."""
    return clean(data.decode("utf-8", errors="replace"), limit=limit)

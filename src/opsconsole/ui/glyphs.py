"""The characters a terminal can show: one set for Unicode, one for ASCII."""

import locale
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from opsconsole.core.state import State

ChartStyle = Literal["braille", "block", "ascii"]


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set of characters. All are one cell wide, but for `ellipsis` in ASCII."""

    name: str
    crit: str
    warn: str
    ok: str
    stale: str
    unknown: str
    error: str
    ellipsis: str
    horizontal: str
    vertical: str
    tick: str
    """A tick on the y axis."""
    threshold: str
    """One cell of a threshold's line."""
    cursor: str
    """The line of a chart's cursor."""
    sparks: str
    """Levels of a sparkline, lowest first."""
    bar: str
    bar_parts: str
    """Parts of a cell from the left, smallest first; empty where there are none."""
    bar_rest: str
    """The part of a gauge that is not filled."""
    shades: str
    """Levels of a heat map, nothing first."""
    mark: str
    """What stands before the selected item when nothing else can show it."""
    chosen: str
    """What stands before a marked row."""
    chart: ChartStyle
    minus: str
    up: str
    down: str
    """Sort directions."""

    def symbol(self, state: State) -> str:
        """The symbol of a state."""
        match state:
            case State.CRIT:
                return self.crit
            case State.WARN:
                return self.warn
            case State.OK:
                return self.ok
            case State.STALE:
                return self.stale
            case State.UNKNOWN:
                return self.unknown
            case State.ERROR:
                return self.error

    def badge(self, state: State) -> str:
        """Symbol and word: `✗ CRIT`. A state is never shown by less."""
        return f"{self.symbol(state)} {state.value}"


UNICODE = Glyphs(
    name="unicode",
    crit="✗",
    warn="▲",
    ok="●",
    stale="◌",
    unknown="?",
    error="!",
    ellipsis="…",
    horizontal="─",
    vertical="│",
    tick="┤",
    threshold="╌",
    cursor="│",
    sparks="▁▂▃▄▅▆▇█",
    bar="━",
    bar_parts="╸",
    bar_rest="─",
    shades=" ░▒▓█",
    mark="▸",
    chosen="◆",
    chart="braille",
    minus="–",
    up="▴",
    down="▾",
)

BLOCK = replace(UNICODE, name="block", chart="block")
"""Unicode without braille, for fonts that lack it or draw it badly."""

ASCII = Glyphs(
    name="ascii",
    crit="X",
    warn="^",
    ok="*",
    stale="~",
    unknown="?",
    error="!",
    ellipsis="..",
    horizontal="-",
    vertical="|",
    tick="|",
    threshold="-",
    cursor="|",
    sparks="_.-=*#",
    bar="#",
    bar_parts="",
    bar_rest=".",
    shades=" .:*#",
    mark=">",
    chosen="#",
    chart="ascii",
    minus="-",
    up="^",
    down="v",
)

SETS = {"unicode": UNICODE, "block": BLOCK, "ascii": ASCII}


def glyphs_for(environ: Mapping[str, str], encoding: str | None = None) -> Glyphs:
    """The set for a terminal.

    `OPSCONSOLE_GLYPHS` (`unicode`, `block`, `ascii`) decides; otherwise ASCII on a terminal or in a locale that
    cannot show more, block characters on the Linux console, whose font has no braille.

    Raises:
        ValueError: `OPSCONSOLE_GLYPHS` names no set.
    """
    wanted = environ.get("OPSCONSOLE_GLYPHS", "")
    if wanted:
        if wanted not in SETS:
            raise ValueError(f"OPSCONSOLE_GLYPHS: {wanted!r} is not one of {', '.join(SETS)}")
        return SETS[wanted]
    term = environ.get("TERM", "")
    if term in ("dumb", "vt100", "vt102", "vt220", "ansi"):
        return ASCII
    if not _is_utf8(environ, encoding):
        return ASCII
    return BLOCK if term == "linux" else UNICODE


def _is_utf8(environ: Mapping[str, str], encoding: str | None) -> bool:
    # The first of the three that is set is the one that counts (POSIX, "Environment Variables", LC_ALL).
    named = next((environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environ.get(name)), "")
    if "." in named:
        codeset = named.partition(".")[2].partition("@")[0]
        return codeset.lower().replace("-", "") == "utf8"
    known = encoding if encoding is not None else locale.getpreferredencoding(False)
    return known.lower().replace("-", "") == "utf8"

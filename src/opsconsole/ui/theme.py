"""What a role looks like, in five themes.

Calm is the rule: ordinary text has the terminal's weight, what is secondary is dim, and colour appears only where there
is something to say. No state depends on colour: each comes with a symbol and a word, OK is blue-green and CRIT
is orange-red and bold, which stay apart for every common kind of colour blindness.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from rich.style import Style
from textual.theme import Theme

from opsconsole.ui.lines import Role

BANNERS = ("red", "yellow", "green", "blue", "grey")
"""The colours an environment can have."""

SERIES_COUNT = 6
"""How many series of a chart get a look of their own; then they repeat."""


def banner_role(colour: str) -> Role:
    """The role of an environment's banner; a colour that is not one of `BANNERS` is grey."""
    return f"banner-{colour}" if colour in BANNERS else "banner-grey"


def mark_role(state: Role) -> Role:
    """The role of what is drawn, rather than written, for the role of a state."""
    return f"{state}-mark"


_STATES = ("crit", "warn", "ok", "stale", "unknown", "error")


def series_role(index: int) -> Role:
    """The role of a chart's series, counted from 0."""
    return f"series-{index % SERIES_COUNT}"


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours from which a coloured theme is made; every one is a Rich style definition."""

    dim: str
    """Secondary: units, ages, times, what is all right."""
    faint: str
    """Rules, axes, what only structures."""
    title: str
    heading: str
    """Column headings."""
    crit: str
    warn: str
    ok: str
    stale: str
    unknown: str
    error: str
    accent: str
    """Keys, links, the next useful action."""
    cursor: str
    selected: str
    """The cursor's row in a widget without focus."""
    match: str
    banners: tuple[str, str, str, str, str]
    series: tuple[str, str, str, str, str, str]
    crit_line: str
    warn_line: str

    def styles(self) -> dict[Role, Style]:
        """The role table."""
        looks = {
            "text": "",
            "strong": self.title,
            "dim": self.dim,
            "faint": self.faint,
            "title": self.title,
            "title-focus": f"{self.accent} bold underline",
            "heading": self.heading,
            "crit": self.crit,
            "warn": self.warn,
            "ok": self.ok,
            "stale": self.stale,
            "unknown": self.unknown,
            "error": self.error,
            "key": self.accent,
            "accent": self.accent,
            "cursor": self.cursor,
            "selected": self.selected,
            "readout": self.cursor,
            "match": self.match,
            "axis": self.dim,
            "spark": self.dim,
            "crit-line": self.crit_line,
            "warn-line": self.warn_line,
        }
        looks |= {f"banner-{name}": look for name, look in zip(BANNERS, self.banners, strict=True)}
        looks |= {series_role(index): look for index, look in enumerate(self.series)}
        styles = {role: Style.parse(look) for role, look in looks.items()}
        # A bar or a mark in reverse would vanish, so drawings take the colour of a state and nothing else of it.
        drawn = {mark_role(role): Style(color=styles[role].color) for role in _STATES}
        return styles | drawn


_DARK = Palette(
    dim="#8a949e",
    faint="#4a535c",
    title="bold #eef1f4",
    heading="#8a949e",
    crit="bold #ff7a66",
    warn="#e8b84a",
    ok="#6fb7b0",
    stale="#a99bd0",
    unknown="#9aa4ae",
    error="bold #e58cc9",
    accent="#82b7e8",
    cursor="#ffffff on #2d4f73",
    selected="on #262c33",
    match="underline",
    banners=(
        "bold #ffffff on #a8281e",
        "bold #1a1a1a on #d9a521",
        "bold #ffffff on #1f6f5c",
        "bold #ffffff on #2a5a9c",
        "bold #ffffff on #555e68",
    ),
    series=("#82b7e8", "#e8b84a", "#6fc2a8", "#d29bd6", "#e69a72", "#b5bd68"),
    crit_line="#a85449",
    warn_line="#8f7638",
)

_LIGHT = Palette(
    dim="#5c656e",
    faint="#b4bbc2",
    title="bold #101418",
    heading="#5c656e",
    crit="bold #b3200f",
    warn="#8a5a00",
    ok="#0f6b66",
    stale="#5f4b9b",
    unknown="#57606a",
    error="bold #9a2a78",
    accent="#0b5cad",
    cursor="#ffffff on #2a5a9c",
    selected="on #dfe4ea",
    match="underline",
    banners=(
        "bold #ffffff on #a8281e",
        "bold #1a1a1a on #e0b13c",
        "bold #ffffff on #1f6f5c",
        "bold #ffffff on #2a5a9c",
        "bold #ffffff on #6b747d",
    ),
    series=("#0b5cad", "#8a5a00", "#0f6b66", "#7a3c8f", "#a1441a", "#5a6300"),
    crit_line="#d39a92",
    warn_line="#cdb27a",
)

# Sixteen colours are the user's own palette: bright black is invisible in some, so secondary text is the dim attribute.
_ANSI = Palette(
    dim="dim",
    faint="dim",
    title="bold",
    heading="dim",
    crit="bold red",
    warn="yellow",
    ok="cyan",
    stale="magenta",
    unknown="dim",
    error="bold magenta",
    accent="blue",
    cursor="reverse",
    selected="underline",
    match="underline",
    banners=(
        "bold white on red",
        "black on yellow",
        "black on green",
        "bold white on blue",
        "reverse",
    ),
    series=("blue", "yellow", "cyan", "magenta", "green", "red"),
    crit_line="red",
    warn_line="yellow",
)

_HIGH_CONTRAST = Palette(
    dim="#d0d0d0",
    faint="#a0a0a0",
    title="bold #ffffff",
    heading="bold #d0d0d0",
    crit="bold #ff8c7a",
    warn="bold #ffd75f",
    ok="#7fe0ff",
    stale="#d7b8ff",
    unknown="#ffffff",
    error="bold #ff9ade",
    accent="bold #8fd0ff",
    cursor="bold #000000 on #ffd75f",
    selected="underline",
    match="bold underline",
    banners=(
        "bold #ffffff on #b00000",
        "bold #000000 on #ffd75f",
        "bold #ffffff on #006050",
        "bold #ffffff on #0040b0",
        "bold #000000 on #d0d0d0",
    ),
    series=("#8fd0ff", "#ffd75f", "#7fe0c0", "#ff9ade", "#ffb080", "#e0e0e0"),
    crit_line="#ff8c7a",
    warn_line="#ffd75f",
)

_NO_COLOUR = Palette(
    dim="",
    faint="",
    title="bold",
    heading="underline",
    crit="bold reverse",
    warn="bold",
    ok="",
    stale="underline",
    unknown="underline",
    error="bold reverse",
    accent="bold",
    cursor="reverse",
    selected="underline",
    match="underline",
    banners=("bold reverse",) * 5,
    series=("", "bold", "", "bold", "", "bold"),
    crit_line="",
    warn_line="",
)


@lru_cache(maxsize=16)
def styles_of(theme: str) -> Mapping[Role, Style]:
    """The role table of a theme by name; of `dark` where the theme is not one of ours."""
    return MappingProxyType(_PALETTES.get(theme, _DARK).styles())


_PALETTES = {
    "dark": _DARK,
    "light": _LIGHT,
    "ansi": _ANSI,
    "high-contrast": _HIGH_CONTRAST,
    "no-colour": _NO_COLOUR,
}

THEMES = tuple(_PALETTES)
ROLES = tuple(_DARK.styles())


def _terminal_theme(name: str, accent: str, error: str, warning: str, ok: str) -> Theme:
    """A theme in the terminal's own foreground, background and palette."""
    return Theme(
        name=name,
        ansi=True,
        primary=accent,
        secondary=accent,
        warning=warning,
        error=error,
        success=ok,
        accent=accent,
        foreground="ansi_default",
        background="ansi_default",
        surface="ansi_default",
        panel="ansi_default",
        boost="ansi_default",
        variables={
            "ansi-background": "ansi_black",
            "ansi-foreground": "ansi_white",
            "border-blurred": "ansi_default",
            # A black track would be a black bar on a light terminal; the thumb is drawn in reverse.
            "scrollbar": accent,
            "scrollbar-hover": accent,
            "scrollbar-active": accent,
            "scrollbar-background": "ansi_default",
            "scrollbar-background-hover": "ansi_default",
            "scrollbar-background-active": "ansi_default",
            "block-cursor-foreground": "ansi_default",
            "block-cursor-background": "ansi_default",
            "block-cursor-text-style": "reverse",
            "input-cursor-text-style": "reverse",
            "input-cursor-background": "ansi_default",
            "input-cursor-foreground": "ansi_default",
        },
    )


def textual_themes() -> tuple[Theme, ...]:
    """The themes for `App.register_theme`, in the order of `THEMES`; made when the application starts."""
    return (
        Theme(
            name="dark",
            primary="#82b7e8",
            secondary="#5d87ad",
            warning="#e8b84a",
            error="#ff7a66",
            success="#6fb7b0",
            accent="#82b7e8",
            foreground="#cfd4d9",
            background="#14171a",
            surface="#14171a",
            panel="#1d2126",
        ),
        Theme(
            name="light",
            dark=False,
            primary="#0b5cad",
            secondary="#5c656e",
            warning="#8a5a00",
            error="#b3200f",
            success="#0f6b66",
            accent="#0b5cad",
            foreground="#24292f",
            background="#fafbfc",
            surface="#fafbfc",
            panel="#eceff2",
        ),
        _terminal_theme("ansi", "ansi_blue", "ansi_red", "ansi_yellow", "ansi_cyan"),
        Theme(
            name="high-contrast",
            primary="#8fd0ff",
            secondary="#d0d0d0",
            warning="#ffd75f",
            error="#ff8c7a",
            success="#7fe0ff",
            accent="#8fd0ff",
            foreground="#ffffff",
            background="#000000",
            surface="#000000",
            panel="#1a1a1a",
        ),
        _terminal_theme("no-colour", "ansi_default", "ansi_default", "ansi_default", "ansi_default"),
    )


def theme_for(wanted: str | None, environ: Mapping[str, str]) -> str:
    """The theme to start with.

    `NO_COLOR` (any value but the empty one) and a terminal that cannot show colours win over `wanted`; a terminal with
    16 colours gets `ansi` unless something else is asked for.

    Raises:
        ValueError: `wanted` is not one of `THEMES`.
    """
    if wanted is not None and wanted not in THEMES:
        raise ValueError(f"{wanted!r} is not a theme; there are {', '.join(THEMES)}")
    term = environ.get("TERM", "")
    if environ.get("NO_COLOR") or term in ("dumb", "vt100", "vt220", "linux-m", "xterm-mono"):
        return "no-colour"
    if wanted is not None:
        return wanted
    deep = environ.get("COLORTERM", "") in ("truecolor", "24bit") or "256" in term or "direct" in term
    return "dark" if deep else "ansi"

"""What a terminal can show, and how states look without depending on colour."""

from collections.abc import Mapping

import pytest

from opsconsole.core.state import State
from opsconsole.ui.glyphs import ASCII, BLOCK, UNICODE, glyphs_for
from opsconsole.ui.lines import state_role
from opsconsole.ui.theme import BANNERS, ROLES, THEMES, banner_role, styles_of, textual_themes, theme_for


@pytest.mark.parametrize(
    ("environ", "encoding", "expected"),
    [
        ({"LANG": "en_US.UTF-8", "TERM": "xterm-256color"}, "ascii", "unicode"),
        ({"LANG": "C", "TERM": "xterm"}, "ascii", "ascii"),
        ({"LANG": "de_DE.ISO-8859-1", "TERM": "xterm"}, "utf-8", "ascii"),
        ({"LC_ALL": "C.UTF-8", "LANG": "C", "TERM": "xterm"}, "ascii", "unicode"),
        ({"TERM": "xterm"}, "UTF-8", "unicode"),
        ({"LANG": "en_US.UTF-8", "TERM": "linux"}, "utf-8", "block"),
        ({"LANG": "en_US.UTF-8", "TERM": "vt100"}, "utf-8", "ascii"),
        ({"LANG": "C", "TERM": "vt100", "OPSCONSOLE_GLYPHS": "unicode"}, "ascii", "unicode"),
    ],
)
def test_the_set_follows_the_terminal(environ: Mapping[str, str], encoding: str, expected: str) -> None:
    assert glyphs_for(environ, encoding).name == expected


def test_an_unknown_set_is_refused() -> None:
    with pytest.raises(ValueError, match="'emoji' is not one of unicode, block, ascii"):
        glyphs_for({"OPSCONSOLE_GLYPHS": "emoji"})


@pytest.mark.parametrize("glyphs", [UNICODE, BLOCK, ASCII], ids=lambda glyphs: glyphs.name)
def test_each_state_has_a_symbol_of_its_own_and_its_word(glyphs: object) -> None:
    assert isinstance(glyphs, type(UNICODE))
    assert len({glyphs.symbol(state) for state in State}) == len(State)
    assert glyphs.badge(State.CRIT).endswith(" CRIT")


@pytest.mark.parametrize("theme", THEMES)
def test_every_theme_knows_every_role(theme: str) -> None:
    assert tuple(styles_of(theme)) == ROLES
    assert {state_role(state) for state in State} <= set(ROLES)
    assert {banner_role(name) for name in BANNERS} <= set(ROLES)
    assert banner_role("pink") == "banner-grey"


def test_without_colours_no_role_has_one() -> None:
    for style in styles_of("no-colour").values():
        assert style.color is None
        assert style.bgcolor is None


def test_sixteen_colours_are_the_users_own() -> None:
    for style in styles_of("ansi").values():
        for colour in (style.color, style.bgcolor):
            assert colour is None or colour.number is None or colour.number < 16
            assert colour is None or colour.triplet is None


@pytest.mark.parametrize(
    ("theme", "background"), [("dark", "#14171a"), ("light", "#fafbfc"), ("high-contrast", "#000000")]
)
def test_text_is_readable(theme: str, background: str) -> None:
    """WCAG 2.1: 4.5 to 1 for text; 3 to 1 would do for what only structures."""
    for role, style in styles_of(theme).items():
        if role in ("faint", "crit-line", "warn-line") or style.color is None or style.color.triplet is None:
            continue
        behind = style.bgcolor.triplet.hex if style.bgcolor and style.bgcolor.triplet else background
        assert _contrast(style.color.triplet.hex, behind) >= 4.5, role


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_theme_follows_wishes_and_terminals() -> None:
    rich = {"TERM": "xterm-256color"}
    assert theme_for(None, rich) == "dark"
    assert theme_for("light", rich) == "light"
    assert theme_for(None, {"TERM": "xterm"}) == "ansi"
    assert theme_for("dark", {"TERM": "xterm-256color", "NO_COLOR": "1"}) == "no-colour"
    assert theme_for(None, {"TERM": "xterm-256color", "NO_COLOR": ""}) == "dark"
    assert theme_for("dark", {"TERM": "vt100"}) == "no-colour"
    with pytest.raises(ValueError, match="not a theme"):
        theme_for("pink", rich)


def test_textual_knows_the_same_themes() -> None:
    assert tuple(theme.name for theme in textual_themes()) == THEMES

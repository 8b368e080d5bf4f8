"""Grafana's colours and our states, in both directions: red is critical, orange and yellow are warnings."""

import colorsys
import re

from opsconsole.core.state import State

COLOURS: dict[State, str] = {State.OK: "green", State.WARN: "orange", State.CRIT: "red"}
"""Our state -> Grafana's name of the colour it is shown in."""

_HUES = {"red": State.CRIT, "orange": State.WARN, "yellow": State.WARN}
_SHADES = re.compile(r"^(?:(?:super-light|light|semi-dark|dark)-)?([a-z]+)$")
_RGB = re.compile(r"^rgba?\(\s*([\d.]+)[\s,]+([\d.]+)[\s,]+([\d.]+)")

# Hues in degrees: Grafana's own reds (#C4162A, #d44a3a, #F2495C) lie between 350 and 10, its oranges and yellows
# (#FF780A, #EAB839, #FADE2A) between 15 and 55.
_RED_FROM, _RED_TO, _YELLOW_TO = 340.0, 14.0, 62.0


def state_of_colour(colour: str) -> State:
    """The state that a colour stands for; OK for every colour that is no warning."""
    word = _SHADES.match(colour.strip().lower())
    if word:
        return _HUES.get(word[1], State.OK)
    rgb = _rgb(colour.strip())
    if rgb is None:
        return State.OK
    hue, _, saturation = colorsys.rgb_to_hls(*rgb)
    if saturation < 0.35:  # grey, whatever its hue
        return State.OK
    degrees = hue * 360
    if degrees >= _RED_FROM or degrees <= _RED_TO:
        return State.CRIT
    return State.WARN if degrees <= _YELLOW_TO else State.OK


def _rgb(text: str) -> tuple[float, float, float] | None:
    """Red, green and blue from 0 to 1."""
    if text.startswith("#"):
        digits = text[1:]
        if len(digits) in (3, 4):
            digits = "".join(2 * one for one in digits)
        if len(digits) not in (6, 8) or not re.fullmatch("[0-9A-Fa-f]+", digits):
            return None
        red, green, blue = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
        return red, green, blue
    match = _RGB.match(text)
    if match is None:
        return None
    try:
        red, green, blue = (min(255.0, float(part)) / 255 for part in match.groups())
    except ValueError:
        return None
    return red, green, blue

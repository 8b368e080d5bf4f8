"""A horizontal bar."""

import math

from opsconsole.ui.glyphs import Glyphs


def bar(value: float | None, low: float, high: float, width: int, glyphs: Glyphs) -> tuple[str, str]:
    """(what is filled, what is left) of a bar of `width` cells from `low` to `high`, `width` cells together.

    Any value above `low` shows at least a trace, and only what reaches `high` fills the bar.
    """
    if width <= 0:
        return "", ""
    if value is None or math.isnan(value) or not high > low or not math.isfinite(high - low):
        return "", glyphs.bar_rest * width
    part = max(0.0, min(1.0, (value - low) / (high - low)))
    steps = len(glyphs.bar_parts) + 1
    eighths = min(round(part * width * steps), width * steps - (1 if part < 1 else 0))
    if part > 0:
        eighths = max(1, eighths)
    whole, rest = divmod(eighths, steps)
    filled = glyphs.bar * whole + (glyphs.bar_parts[rest - 1] if rest else "")
    return filled, glyphs.bar_rest * (width - len(filled))

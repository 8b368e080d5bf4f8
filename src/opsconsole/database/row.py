"""One row of an answer, as this package reads it; it is `core.row`'s."""

from opsconsole.core.row import Row

__all__ = ["Row"]

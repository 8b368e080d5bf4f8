"""Kinds of errors, made by hand."""

from typing import Any

from opsconsole.errors.model import Kind


def kind(fingerprint: str = "abc", **given: Any) -> Kind:
    """A kind; what is not given is usual."""
    usual: dict[str, Any] = {
        "source": "logs/api", "service": "api", "type": "ValueError", "message": "no <n>", "count": 1, "before": 0,
        "rate": 0.0, "first_at": 100.0, "last_at": 200.0, "trend": (0,) * 23 + (1,),
    }  # fmt: skip
    return Kind(fingerprint=fingerprint, **{**usual, **given})

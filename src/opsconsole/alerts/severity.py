"""How bad an alert says it is: the words that rules use for it, in one order."""

_RANKS = {
    "page": 0, "critical": 0, "crit": 0, "p1": 0, "emergency": 0, "fatal": 0, "disaster": 0,
    "error": 1, "high": 1, "major": 1, "p2": 1, "warning": 2, "warn": 2, "p3": 2, "minor": 2, "ticket": 2,
    "p4": 3, "p5": 3, "low": 3, "info": 3, "none": 4,
}  # fmt: skip
UNRANKED, NOBODYS = 3, 4


def rank(severity: str) -> int:
    """0 the worst, 4 what wants nobody; a word that is not known is as `info`."""
    return _RANKS.get(severity.lower(), UNRANKED)

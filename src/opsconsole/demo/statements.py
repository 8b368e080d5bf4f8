"""The demo's SQL, by name: the files below `sql/`."""

from functools import cache
from pathlib import Path


@cache
def statement(name: str) -> str:
    """The text of `sql/NAME.sql`."""
    return Path(__file__).with_name("sql").joinpath(f"{name}.sql").read_text("utf-8")

"""The statements of this package, each in the form that a server understands (`sources.sql_choice`)."""

from functools import cache
from importlib.resources import files

from opsconsole.sources import sql_choice
from opsconsole.sources.sql_choice import Columns


def statement(name: str, columns: Columns) -> str:
    """The text of `sql/NAME.sql` for a server with these `columns`."""
    return sql_choice.chosen(_text(name), columns)


def conditions(name: str) -> set[tuple[str, str]]:
    """The (view, column) that `sql/NAME.sql` asks about; column empty: the view itself."""
    return sql_choice.conditions(_text(name))


def names() -> list[str]:
    """All statements there are."""
    folder = files("opsconsole.database").joinpath("sql")
    return sorted(one.name.removesuffix(".sql") for one in folder.iterdir() if one.name.endswith(".sql"))


def own(text: str) -> bool:
    """Whether a statement that the server lists is one of these, by the remark with which each begins."""
    return text.lstrip().startswith(_openings())


@cache
def _openings() -> tuple[str, ...]:
    source = files("opsconsole.sources").joinpath("postgres_facts.sql").read_text("utf-8")
    # The server's list may have no more than the beginning of a text.
    return tuple(text.partition("\n")[0][:80] for text in (*map(_text, names()), source))


@cache
def _text(name: str) -> str:
    return files("opsconsole.database").joinpath("sql", f"{name}.sql").read_text("utf-8")

"""The journal: append-only, chained by hash."""

from pathlib import Path

from opsconsole.core.paths import state_dir
from opsconsole.store.journal import Journal, JournalError
from opsconsole.store.sqlite import SqliteJournal

FILE = "journal.sqlite"
"""The journal's name in the state folder."""


def open_journal(url: str = "sqlite") -> Journal:
    """The journal that `store.url` names: `sqlite` (a file in the state folder) or `sqlite:PATH`.

    Nothing is created before the first record.

    Raises:
        JournalError: any other URL, or a state folder that cannot be used.
    """
    scheme, _, rest = url.partition(":")
    if scheme != "sqlite":
        raise JournalError(
            "refused",
            f"store.url {scheme!r} is not a journal this version can keep",
            hint="write sqlite, or sqlite:PATH",
        )
    if rest:
        return SqliteJournal(Path("/" + rest.lstrip("/")) if rest.startswith("//") else Path(rest).expanduser())
    try:
        return SqliteJournal(state_dir() / FILE)
    except OSError as error:
        raise JournalError("unreachable", f"the state folder cannot be used: {error}") from error

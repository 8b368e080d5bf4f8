"""Readings made by hand, of which a test changes what it is about."""

from typing import Any

from opsconsole.database.row import Row
from opsconsole.database.tables import Autovacuum, Sizes, Table

_COUNTS = (
    "partitions", "indexes", "live", "dead", "modified", "inserted", "updated", "hot", "deleted", "seq_scans",
    "seq_rows", "index_scans", "vacuums", "autovacuums", "analyzes", "autoanalyzes",
)  # fmt: skip


def table(**given: Any) -> Table:
    """An empty table that nobody touched."""
    fields: dict[str, Any] = {
        "oid": "16384", "schema": "app", "name": "readings", "kind": "table", "persistence": "permanent",
        "owner": "app", "options": "", "sizes": Sizes(0.0, 0.0, 0.0, 0.0), "rows": 0.0, "vacuum_at": None,
        "autovacuum_at": None, "analyze_at": None, "autoanalyze_at": None, "xid_age": 1, "mxid_age": 1,
        "autovacuum": Autovacuum(True, 50.0, 0.0, 0.0, 0.0, 0.0), **dict.fromkeys(_COUNTS, 0),
    }  # fmt: skip
    return Table(**{**fields, **given})


def row(**cells: Any) -> Row:
    """A row of an answer."""
    return Row(cells)

"""What stands in the way of maintenance: whom which kind waits for, and when nothing is sent."""

from typing import Any

import pytest

from opsconsole.database.actions.prechecks import (
    CREATE,
    DROP,
    REINDEX,
    REWRITE,
    VACUUM,
    Open,
    Waits,
    Way,
    disk,
    objection,
    warnings,
)


def session(**given: Any) -> Open:
    """A transaction of a client that has neither a snapshot nor a lock on the table."""
    fields: dict[str, Any] = {
        "kind": "session", "id": "8123", "owner": "etl", "application": "airflow", "backend_type": "client backend",
        "state": "idle in transaction", "snapshot": False, "modes": frozenset(), "seconds": 900.0,
    }  # fmt: skip
    return Open(**{**fields, **given})


def modes(*names: str) -> frozenset[str]:
    return frozenset(f"{name}Lock" for name in names)


@pytest.mark.parametrize(
    ("one", "waiting"),
    [
        (session(snapshot=True), {"create", "reindex"}),
        (session(modes=modes("AccessShare")), {"reindex", "drop", "rewrite"}),
        (session(modes=modes("RowExclusive")), {"create", "reindex", "drop", "rewrite"}),
        (session(modes=modes("ShareUpdateExclusive")), {"create", "reindex", "drop", "vacuum", "rewrite"}),
        (session(modes=modes("Share")), {"create", "reindex", "drop", "vacuum", "rewrite"}),
        (session(), set()),
    ],
)
def test_who_waits_for_whom(one: Open, waiting: set[str]) -> None:
    kinds = {"create": CREATE, "reindex": REINDEX, "drop": DROP, "vacuum": VACUUM, "rewrite": REWRITE}
    assert {name for name, waits in kinds.items() if one.holds_up(waits)} == waiting


def test_a_transaction_older_than_the_patience_is_a_refusal_with_who_it_is() -> None:
    way = Way((session(snapshot=True), session(id="1", snapshot=True, seconds=700.0), session(id="2", seconds=800.0)))
    assert objection(way, CREATE, 600.0) == (
        "nothing was sent: it would wait for session 8123 of etl (idle in transaction, airflow), open for 15m, and 1 "
        "more, and give up after 10m; end its transaction, or the session: opsconsole db kill 8123"
    )
    assert objection(way, CREATE, 901.0) == ""
    assert objection(way, DROP, 1.0) == "", "a snapshot alone does not hold up a drop"


def test_who_gives_way_or_cannot_be_judged_is_no_refusal() -> None:
    vacuuming = session(backend_type="autovacuum worker", modes=modes("ShareUpdateExclusive"))
    unseen = session(modes=modes("RowExclusive"), seconds=None, application="", state="")
    way = Way((vacuuming, unseen), hidden="builder")
    assert objection(way, REINDEX, 0.0) == ""
    assert warnings(way, REINDEX) == [
        "it waits for session 8123 of etl (idle in transaction, airflow), open for 15m",
        "it waits for session 8123 of etl (client backend), open, since when is hidden",
        "not known: transactions of other roles; grant pg_monitor to builder;",
    ]


def test_a_prepared_transaction_is_named_with_what_ends_it() -> None:
    way = Way((session(kind="prepared", id="o'rder\n7", state="prepared", modes=modes("RowExclusive")),))
    said = objection(way, CREATE, 600.0)
    assert "prepared transaction o'rder⏎7 of etl, open for 15m" in said
    assert said.endswith("COMMIT PREPARED or ROLLBACK PREPARED it")


@pytest.mark.parametrize("waits", [CREATE, VACUUM])
def test_what_every_busy_server_has_is_not_worth_a_word(waits: Waits) -> None:
    assert warnings(Way((session(snapshot=True, seconds=4.9),)), waits) == []


def test_disk_is_said_and_that_its_room_is_not_known() -> None:
    assert disk(2.0**30, "the new index").startswith(
        "it needs about 1 GiB more on disk until it is done (the new index)"
    )
    assert "an unknown amount" in disk(None, "x")
    assert disk(1.0, "x").endswith("how much is free is not known: the server does not tell")

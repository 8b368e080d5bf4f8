"""Which sessions are not to be signalled."""

from dataclasses import replace

import pytest

from opsconsole.actions.session_guard import Who, objection

CLIENT = Who("client backend", "active", "api", "app", "", False, 3.0)


@pytest.mark.parametrize("ends", [True, False])
@pytest.mark.parametrize(
    ("who", "why"),
    [
        (replace(CLIENT, kind="walsender"), "standby or a backup"),
        (replace(CLIENT, kind="checkpointer"), "the server's own (checkpointer)"),
        (replace(CLIENT, kind=""), "not visible to this role"),
        (replace(CLIENT, kind="parallel worker", leader="42"), "session 42"),
        (replace(CLIENT, kind="autovacuum worker", freezing=True), "running out"),
        (replace(CLIENT, application="pg_dump"), "pg_dump takes"),
        (replace(CLIENT, application="pgbackrest [backup]"), "stop it where it was started"),
        (replace(CLIENT, application="opsconsole/action"), "a console's"),
    ],
)
def test_what_is_neither_cancelled_nor_ended(who: Who, why: str, ends: bool) -> None:
    assert why in objection(who, ends=ends)


@pytest.mark.parametrize(
    "who",
    [CLIENT, replace(CLIENT, kind="autovacuum worker"), replace(CLIENT, application="opsconsole-demo")],
    ids=["client", "autovacuum", "an application that is only called alike"],
)
def test_what_may_be_signalled(who: Who) -> None:
    assert objection(who, ends=True) == objection(who, ends=False) == ""


@pytest.mark.parametrize("state", ["idle", "idle in transaction", "idle in transaction (aborted)"])
def test_who_does_nothing_is_ended_and_not_cancelled(state: str) -> None:
    who = replace(CLIENT, state=state)
    assert objection(who, ends=True) == ""
    assert objection(who, ends=False)


def test_the_record_says_who_it_was() -> None:
    assert CLIENT.in_words == "app (api), active, in its transaction for 3 s"

"""A page of the workbench as a pane of a screen, on a real PostgreSQL that goes away and comes back."""

from contextlib import closing
from pathlib import Path

import psycopg

from tests.servers import start_postgres
from tests.terminal.site import Site

VALUE = {"id": "a", "title": "A", "kind": "stat", "source": "postgres/app", "query": "select 1"}
VIEW = {"id": "who", "title": "Who", "kind": "view", "view": "database.activity", "span": 2, "rows": 8}


def test_a_page_as_a_pane(tmp_path: Path) -> None:
    with start_postgres() as server:
        site = Site(tmp_path, databases={"app": server.dsn()})
        site.screen("plain", [VALUE, VIEW])
        with (
            closing(psycopg.connect(server.dsn(application_name="batch"))) as holder,
            site.console() as terminal,
        ):
            holder.execute("select 'held'")
            terminal.wait_for(r"Who +1 sessions(.|\n)*PID +STATE(.|\n)*idle in tx(.|\n)*batch")
            terminal.press("tab", "enter")
            terminal.wait_for(r"Sessions +Locks +Queries(.|\n)*idle in tx")
            terminal.press("esc")
            terminal.wait_for(r"Who +1 session")
            server.program.freeze()
            try:
                terminal.wait_for(r"Who +STALE(.|\n)*idle in tx")
            finally:
                server.program.thaw()
            terminal.wait_for(r"Who +1 session")

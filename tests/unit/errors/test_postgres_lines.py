"""Lines of PostgreSQL's log in its three formats, as versions and settings write them."""

import json
from datetime import UTC, datetime

import pytest

from opsconsole.errors.model import Occurrence
from opsconsole.errors.moments import zone
from opsconsole.errors.postgres_lines import PostgresLines, line_pattern

AT = datetime(2026, 11, 29, 13, 59, 58, 123000, tzinfo=UTC).timestamp()


def found(text: str, file_format: str = "stderr", prefix: str = "%m [%p] ", local: str = "UTC") -> list[Occurrence]:
    lines = PostgresLines(file_format, prefix, zone(local), "log/x")
    return [*(one for line in text.splitlines() for one in lines.see(line)), *lines.end()]


PLAIN = """\
2026-11-29 14:59:58.123 CET [12] LOG:  checkpoint starting: time
2026-11-29 14:59:58.123 CET [12] u@d 23505 ERROR:  duplicate key value
\tover two lines
2026-11-29 14:59:58.123 CET [12] u@d 23505 DETAIL:  Key (id)=(1) already exists.
2026-11-29 14:59:58.123 CET [12] u@d 23505 STATEMENT:  insert into t
\tvalues (1)
2026-11-29 14:59:59.123 CET [12] [unknown]@[unknown] 28P01 FATAL:  password authentication failed for user "x"
2026-11-29 15:00:00.123 CET [9] WARNING:  not an error
"""


def test_stderr_by_its_prefix() -> None:
    duplicate, refused = found(PLAIN, prefix="%m [%p] %q%u@%d %e ", local="Europe/Berlin")
    assert (duplicate.at, duplicate.service, duplicate.type) == (AT, "d", "ERROR 23505")
    assert duplicate.message == "duplicate key value"
    assert duplicate.trace.splitlines() == [
        "over two lines", "DETAIL:  Key (id)=(1) already exists.", "STATEMENT:  insert into t", "values (1)",
    ]  # fmt: skip
    assert (refused.service, refused.type, refused.at) == ("server", "FATAL 28P01", AT + 1)


@pytest.mark.parametrize(
    ("prefix", "line"),
    [
        ("%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
         "2026-11-29 13:59:58 UTC [7]: [3-1] user=u,db=d,app=my app,client=10.0.0.1 "),
        ("%n %-10u %d %r ", "1795960798.123 u          d 10.0.0.1(4711) "),
        ("< %m %d %% >", "< 2026-11-29 13:59:58.123 UTC d % >"),
        ("%m [%p] %Q %d ", "2026-11-29 13:59:58.123 UTC [7] 123 d "),
        ("%d ", "d "),
    ],
)  # fmt: skip
def test_prefixes_of_many_kinds(prefix: str, line: str) -> None:
    match = line_pattern(prefix).match(f"{line}ERROR:  no")
    assert match is not None
    assert (match["dbname"], match["severity"], match["message"]) == ("d", "ERROR", "no")


CSV = '''\
2026-11-29 13:59:58.123 UTC,"u","d",12,"[local]",6,1,"INSERT",2026-11-29 13:59:00 UTC,3/4,0,ERROR,23505,\
"duplicate key ""a""","Key (id)=(1)
already exists.",,,,,"insert into t
values (1)",,,"psql","client backend",,0
2026-11-29 13:59:59.123 UTC,,,1,,6,2,,2026-11-29 13:59:00 UTC,,0,LOG,00000,"ready",,,,,,,,,"","postmaster",,0
'''


def test_csv_with_line_breaks_in_it_begun_somewhere() -> None:
    (one,) = found("end of something, cut\n" + CSV, "csvlog")
    assert (one.at, one.service, one.type, one.message) == (AT, "d", "ERROR 23505", 'duplicate key "a"')
    assert one.trace == "DETAIL:  Key (id)=(1)\nalready exists.\nSTATEMENT:  insert into t\nvalues (1)"
    assert one.labels["application_name"] == "psql"


def test_json() -> None:
    said = {"timestamp": "2026-11-29 13:59:58.123 UTC", "user": "u", "dbname": "d", "error_severity": "PANIC",
            "state_code": "XX000", "message": "no", "hint": "do"}  # fmt: skip
    (one,) = found(f'{{"cut\n{json.dumps(said)}\n{json.dumps({**said, "error_severity": "LOG"})}', "jsonlog")
    assert (one.at, one.service, one.type, one.trace) == (AT, "d", "PANIC XX000", "HINT:  do")


def test_what_is_no_line_of_a_log_is_nothing() -> None:
    for file_format in ("stderr", "csvlog", "jsonlog"):
        assert found("some\n\x00words\n[]\n", file_format) == []

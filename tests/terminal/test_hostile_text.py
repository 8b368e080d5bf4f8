"""Whatever a source, a file or a program says, the terminal is told nothing but visible text."""

import base64
import json
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from bench.terminal import Terminal
from tests.faults import FaultServer, Request
from tests.servers import PostgresServer, start_postgres
from tests.terminal.hostile import ATOMS, SURROGATES, assert_inert, said
from tests.terminal.site import CONSOLE, Site, as_yaml
from tests.terminal.supervisors import ended_supervisors

EVERYTHING = {**ATOMS, **SURROGATES}
ALL = " ".join(said(name, text) for name, text in ATOMS.items() if name != "long")
CRIT = [{"below": 100, "state": "CRIT"}]


def alive(terminal: Terminal, site: Site) -> None:
    """It still answers, and nothing went wrong behind the curtain."""
    terminal.press("?")
    terminal.wait_for(r"Keys: ")
    terminal.press("esc")
    terminal.wait_gone(r"Keys: ")
    assert "cannot be drawn" not in terminal.text()
    assert not list(site.state.glob("logs/*")), [path.read_text() for path in site.state.glob("logs/*")]
    assert_inert(terminal.raw)


def labels(name: str, text: str) -> dict[str, str]:
    return {"__name__": "m", "job": said(name, text), "le": said(name, text), said(name, text): said(name, text)}


def hostile_answer(request: Request) -> tuple[int, str, bytes]:
    """Every atom as label name and value, with a warning and an info for each."""
    now = time.time()
    if b"start=" in request.body or "start=" in request.path:
        points: list[Any] = [[now - 3600 + 60 * turn, str(turn)] for turn in range(60)]
        result = [{"metric": labels(*atom), "values": points} for atom in EVERYTHING.items()]
        data: dict[str, Any] = {"resultType": "matrix", "result": result}
    else:
        result = [{"metric": labels(*atom), "value": [now, "1"]} for atom in EVERYTHING.items()]
        data = {"resultType": "vector", "result": result}
    words = list(EVERYTHING.values())
    body = {"status": "success", "data": data, "warnings": words, "infos": words}
    return 200, "application/json", json.dumps(body).encode()


def hostile_error(_request: Request) -> tuple[int, str, bytes]:
    return 422, "application/json", json.dumps({"status": "error", "errorType": ALL, "error": ALL}).encode()


KINDS = ("status", "bars", "table", "timeseries", "timeline", "heatmap", "gauge", "stat", "text")


def test_labels_warnings_and_errors_of_prometheus(tmp_path: Path) -> None:
    with FaultServer(answer=hostile_answer) as server:
        site = Site(tmp_path, server.url)
        for kind in KINDS:
            pane = {"id": kind, "title": kind, "kind": kind, "query": "m", "legend": "{{job}}", "thresholds": CRIT}
            site.screen(
                kind,
                [pane, {key: pane[key] for key in pane if key != "legend"} | {"id": "bare"}],
                order=KINDS.index(kind),
                columns=1,
            )
        with site.console(columns=150, lines=60) as terminal:
            terminal.wait_for(r"<markup\[/oops\]>")
            terminal.wait_for(r"\b2\d warnings")
            for kind in KINDS[1:8]:
                terminal.press(str(KINDS.index(kind) + 1))
                terminal.wait_for(rf"^ ?{kind}\b.*\n(.|\n)*[<_▔▁█⣀-⣿●✗]")
                terminal.settle(0.2, 1.0)
            terminal.press("2")
            terminal.wait_for(re.escape("<markup-link[@click=app.quit]x[/]>"))
            terminal.press("1")
            terminal.wait_for(r"<markup\[/oops\]>")
            terminal.press("z", "down", "down", "e")
            terminal.wait_for(r"› Error: status")
            terminal.press("pagedown", "esc")
            terminal.wait_gone(r"› Error")
            server.answer = hostile_error
            terminal.wait_for(r"\n(.|\n)*STALE")  # the pane itself, not the counts in the header
            terminal.press("e")
            terminal.wait_for(r"what the source said(.|\n)*<markup\[/oops\]>")
            terminal.press("esc")
            terminal.wait_gone(r"› Error")
            alive(terminal, site)


def test_what_is_copied_is_inert_too(tmp_path: Path) -> None:
    with FaultServer(answer=hostile_answer) as server:
        site = Site(tmp_path, server.url)
        site.screen("one", [{"id": "a", "kind": "status", "query": "m", "legend": "{{job}}", "thresholds": CRIT}])
        with site.console() as terminal:
            terminal.wait_for(r"<markup\[/oops\]>")
            terminal.press("y")
            terminal.wait_for("characters sent to the terminal's clipboard")
            copied = re.search(rb"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", terminal.raw)
            assert copied is not None
            assert_inert(base64.b64decode(copied[1]))


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with start_postgres() as server:
        yield server


def literal(text: str) -> str:
    """SQL for `text`, whatever is in it."""
    return "'" + text.replace("'", "''") + "'"


def test_rows_names_and_errors_of_postgresql(postgres: PostgresServer, tmp_path: Path) -> None:
    rows = ", ".join(f"({number}, {literal(said(*atom))})" for number, atom in enumerate(ATOMS.items()))
    name = said("markup", ATOMS["markup"]) + ATOMS["clipboard"]
    postgres.psql(
        f"create table words as select * from (values {rows}) as t(number, word);"
        f"create function boom() returns int language plpgsql as $f$ begin"
        f" raise notice '%', {literal(ALL)}; raise exception '%', {literal(ALL)} using hint = {literal(ALL)}; end $f$;"
        f"create function hum() returns int language plpgsql as $f$ begin"
        f" raise warning '%', {literal(ALL)}; return 1; end $f$;"
    )
    dsn = postgres.dsn(application_name="%1B%5D0%3Bpwned%07%5B%2Foops%5D")
    site = Site(tmp_path, databases={"app": dsn})
    base = {"source": "postgres/app", "thresholds": CRIT}
    site.screen(
        "rows",
        [
            {**base, "id": "table", "kind": "table", "query": f'select word as "{name}", word, number from words'},
            {**base, "id": "status", "kind": "status", "query": "select number, word from words", "legend": "{{word}}"},
            {**base, "id": "who", "kind": "table", "query": "select application_name, query from pg_stat_activity"},
        ],
        columns=1, order=1,
    )  # fmt: skip
    site.screen(
        "errors",
        [{**base, "id": "boom", "kind": "stat", "query": "select boom()"},
         {**base, "id": "hum", "kind": "stat", "query": "select hum()"},
         {**base, "id": "wrong", "kind": "stat", "query": f'select "{name}" from words'}],
    )  # fmt: skip
    with site.console(columns=140, lines=100) as terminal:
        terminal.wait_for(r"<markup\[/oops\]>.*<markup\[/oops\]>")
        terminal.wait_for(re.escape("<markup-link[@click=app.quit]x[/]>"))
        terminal.press("z")
        terminal.settle(0.2, 1)
        terminal.press("z")
        terminal.press("2")
        terminal.wait_for(r"boom +! ERROR(.|\n)*<clipboard")
        terminal.wait_for(r"hum(.|\n)*1 warning")
        terminal.press("e")
        terminal.wait_for(r"what the source said(.|\n)*<c1-dcs�q�>")
        terminal.press("esc")
        terminal.wait_gone("› Error")
        alive(terminal, site)


BRIEF = "".join(said(name, ATOMS[name]) for name in ("clipboard", "c1-osc", "bidi", "markup-link"))
"""For what may not be long."""
SHORT = {name: text for name, text in ATOMS.items() if name not in ("long", "combining")}
PLAIN = {name: text for name, text in ATOMS.items() if name not in ("lines", "separators", "template")}
"""What can stand in one line of a Markdown file, and in the attributes of a block."""
BOOK = """\
---
%s
---
# %s
%s

## Look
%s
```sh {"name":"look","title":"%s","risk":"read","timeout":"20s"}
cat ../hostile.bin; printf 'parameter %%s\\n' "$WORD"; printf 'no line break \\033]0;pw'
```
- [ ] %s
"""


def hostile_site(folder: Path, prometheus: str | None = None) -> Site:
    """A site whose every title, text and value is hostile; a screen and a runbook for each atom, and one with all."""
    prose = " ".join(said(name, text) for name, text in PLAIN.items() if name != "long")
    services = {said(*atom): {"title": said(*atom), "owner": said(*atom), "check": "m"} for atom in SHORT.items()}
    site = Site(folder, prometheus or "http://127.0.0.1:9", more={"services": "services.yaml"})
    site.write("services.yaml", {"version": 1, "services": services})
    (folder / "hostile.bin").write_bytes(
        b"".join(said(name, text).encode("utf-8", "surrogatepass") + b"\n" for name, text in EVERYTHING.items())
        + b"\xff\xfe\x9b2J\xc3\n\x1b[31"
    )
    panes: list[dict[str, Any]] = [
        {"id": f"p{number}", "title": said(*atom), "kind": "text", "text": said(*atom)}
        for number, atom in enumerate(SHORT.items())
    ]
    site.screen("titles", panes, title=said("tab", BRIEF), columns=4, order=1)
    variables = {"word": {"values": [said(*atom) for atom in SHORT.items()], "title": said("variable", BRIEF)}}
    words = {
        "id": "words", "title": "words", "kind": "status", "query": "m", "legend": said("legend", BRIEF) + "{{job}}",
        "thresholds": CRIT, "mappings": {1: ATOMS["clipboard"] + ATOMS["markup-link"]}, "runbook": "all",
    }  # fmt: skip
    table = {
        "id": "table", "title": "table", "kind": "table", "query": "m", "thresholds": CRIT,
        "columns": [{"name": "job", "title": said("column", BRIEF)}],
    }  # fmt: skip
    site.screen("words", [words, table, {**words, "id": "unknown", "unit": ALL}], variables=variables, order=2)
    site.screen("broken", [{"id": BRIEF, BRIEF: BRIEF, "kind": BRIEF}], **{BRIEF: BRIEF})
    params = {"WORD": {"default": said("parameter", ALL), "help": ALL}}
    for name, text in {"all": ALL, **ATOMS}.items():
        head = {"runbook": 1, "id": name, "title": said(f"book-{name}", text), "owner": text, "alerts": [text],
                "params": params}  # fmt: skip
        title = json.dumps(PLAIN.get(name, "plain"))[1:-1].replace("}", ")")
        line = PLAIN.get(name, prose)
        site.write(f"runbooks/{name}.md", BOOK % (as_yaml(head), line, prose, prose, title, line))
    return site


def paste(terminal: Terminal, text: str) -> None:
    """As a terminal does, which lets no escape through."""
    terminal.press(f"\x1b[200~{text}\x1b[201~")


PASTED = "".join(ATOMS[name] for name in ("bidi", "zero-width", "markup-link", "separators", "tags", "wide", "c1-csi"))


def test_files_parameters_and_output(tmp_path: Path) -> None:
    with FaultServer(answer=hostile_answer) as server:
        site = hostile_site(tmp_path, server.url)
        with ended_supervisors(site.state), site.console(columns=150, lines=50) as terminal:
            terminal.wait_for(re.escape("<markup-link[@click=app.quit]x[/]>"))
            terminal.press("tab", "tab")
            terminal.settle(0.2, 1)
            _the_line_of_commands(terminal)
            _a_variable(terminal)
            terminal.press("9")
            terminal.wait_for(r"RUNBOOKS +.*\d+")
            terminal.wait_for(re.escape("<book-markup[/oops]>"))
            terminal.press("/")
            paste(terminal, PASTED)
            terminal.wait_for(r"^ /.*\[@click=app.quit\]")
            terminal.press("esc")
            terminal.wait_gone(r"^ /")
            _a_run(terminal)
            alive(terminal, site)
        with ended_supervisors(site.state):
            _the_commands(site)


def _the_line_of_commands(terminal: Terminal) -> None:
    """Completion from what is there, a wrong command, a palette, a note."""
    for typed, shown in ((":", r":"), ("rb ", r"<book-bidi"), ("\x15screen ", "titles"), ("\x15env ", "env")):
        terminal.press(typed)
        terminal.wait_for(rf"(?s){shown}")
    paste(terminal, PASTED)
    terminal.press("enter")
    terminal.wait_for(r"no environment .*\[@click=app.quit\]")
    terminal.press("esc")
    terminal.wait_gone("no environment")
    terminal.press("ctrl+p")
    paste(terminal, PASTED)
    terminal.settle(0.2, 1)
    terminal.press("enter", "esc")
    terminal.settle(0.3, 1)
    terminal.press("n")
    terminal.wait_for("^ note")
    paste(terminal, PASTED)
    terminal.press("enter")
    terminal.settle(0.3, 1)


def _a_variable(terminal: Terminal) -> None:
    terminal.press("2")
    terminal.wait_for(r"v changes|<legend")
    terminal.press("v")
    terminal.wait_for(re.escape("<markup[/oops]>"), 5)
    paste(terminal, "markup-link")
    terminal.press("enter")
    terminal.wait_for(re.escape("<markup-link[@click=app.quit]x[/]>"), 5)
    terminal.press("e")
    terminal.wait_for("› Error")
    terminal.press("esc")
    terminal.wait_gone("› Error")


def _a_run(terminal: Terminal) -> None:
    terminal.press(":rb all", "enter")
    terminal.wait_for(r"WORD = <parameter")
    terminal.press("enter")
    terminal.wait_for(r"OUTPUT of look|OUTPUT .*bytes", 10)
    terminal.wait_for(r"no line break")
    terminal.press("z")
    terminal.wait_for("^ attributes")
    terminal.press("pagedown", "esc")
    terminal.wait_gone("^ attributes")
    terminal.press("home")
    terminal.settle(0.2, 1)
    terminal.press("s")
    terminal.wait_for("skip, because")
    paste(terminal, PASTED)
    terminal.press("enter")
    terminal.wait_for("ended|finish|skipped")
    terminal.press("q")
    terminal.settle(0.3, 1)


def _the_commands(site: Site) -> None:
    """What the commands print on a terminal."""
    commands = (
        ("check", "--offline"), ("status",), ("status", "--format", "json"), ("runbook", "list"),
        ("runbook", "show", "all"), ("runbook", "print", "all"), ("runbook", "runs"), ("audit", "list"),
        ("--env", PASTED), ("--screen", PASTED),
    )  # fmt: skip
    with ExitStack() as stack:
        opened = [
            stack.enter_context(Terminal((*CONSOLE, *command), columns=150, env=site.environment))
            for command in commands
        ]
        for terminal in opened:
            terminal.wait_exit(30)
            assert b"unexpected error" not in terminal.raw, terminal.argv
            assert_inert(terminal.raw, "\r\n\t")
    with Terminal((*CONSOLE, "runbook", "run", "all"), columns=150, lines=60, env=site.environment) as terminal:
        terminal.wait_for(r"! abort > *$", 20)
        terminal.press("enter")
        terminal.wait_for(r"no line break(.|\n)*look ok in(.|\n)*! abort > *$|== 1.2(.|\n)*! abort > *$", 20)
        terminal.press("q", "enter")
        terminal.wait_exit(5)
        assert b"<surrogate" in terminal.raw
        assert_inert(terminal.raw, "\r\n\t")


@pytest.mark.parametrize("name", [name for name in EVERYTHING if name not in (
    "markup", "markup-link", "markup-red", "markup-odd", "template", "long", "wide", "combining", "variation", "lines",
)])  # fmt: skip
def test_the_proof_itself_can_fail(name: str) -> None:
    with pytest.raises((AssertionError, UnicodeDecodeError)):
        assert_inert(b"before" + EVERYTHING[name].encode("utf-8", "surrogatepass") + b"after")

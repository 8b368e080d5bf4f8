"""A dashboard that is more than a screen holds becomes several, and nothing of it is cut."""

import json
from pathlib import Path

import pytest

from opsconsole.cli.main import main
from opsconsole.config.document import parse_document
from opsconsole.core.exit_codes import Exit
from opsconsole.monitoring.grafana.importing import import_dashboard
from opsconsole.monitoring.grafana.paging import paged
from opsconsole.monitoring.grafana.reading import read_dashboard
from opsconsole.monitoring.grafana.writing import Entry
from opsconsole.screens.format import MAX_PANES
from opsconsole.screens.loading import load_screens, read_screen
from tests.unit.monitoring.dashboards import classic, panel


def heading(name: str) -> Entry:
    return Entry({"id": name, "kind": "section", "title": name.upper()})


def panes(name: str, count: int) -> list[Entry]:
    return [Entry({"id": f"{name}{number}", "kind": "stat"}) for number in range(count)]


def ids(page: list[Entry]) -> list[str]:
    return [str(entry.pane["id"]) if entry.pane else "lost" for entry in page]


def test_what_fits_is_one_page() -> None:
    assert [ids(page) for page in paged(panes("a", 3), 3)] == [["a0", "a1", "a2"]]
    assert paged([], 3) == [[]]


def test_sections_stay_whole() -> None:
    entries = [heading("a"), *panes("a", 2), heading("b"), *panes("b", 2), heading("c"), *panes("c", 1)]
    pages = paged(entries, 5)
    assert [ids(page) for page in pages] == [["a", "a0", "a1"], ["b", "b0", "b1", "c", "c0"]]


def test_a_section_that_is_too_long_goes_on_under_its_heading() -> None:
    entries = [*panes("x", 1), heading("a"), *panes("a", 5)]
    pages = paged(entries, 3)
    assert [ids(page) for page in pages] == [
        ["x0"], ["a", "a0", "a1"], ["a-continued-2", "a2", "a3"], ["a-continued-3", "a4"],
    ]  # fmt: skip
    titles = [page[0].pane["title"] for page in pages[1:] if page[0].pane]
    assert titles == ["A", "A (continued)", "A (continued)"]


def test_a_panel_that_is_lost_takes_no_room_and_keeps_its_place() -> None:
    lost = Entry(None)
    assert [ids(page) for page in paged([*panes("a", 2), lost, *panes("b", 1)], 2)] == [["a0", "a1", "lost"], ["b0"]]


LARGE = classic(*(panel("stat", f"up{{job='{number}'}}", id=number) for number in range(MAX_PANES + 30)))


def test_every_panel_of_a_large_dashboard_arrives_and_the_report_says_where() -> None:
    found = import_dashboard(read_dashboard(LARGE))
    assert [page.id for page in found.pages] == ["house", "house-2"]
    screens = [read_screen(parse_document(page.text, page.id)) for page in found.pages]
    assert [problems for _, problems in screens] == [[], []]
    assert [(len(one.panes), one.title) for one, _ in screens if one] == [
        (MAX_PANES, "House (1 of 2)"), (30, "House (2 of 2)"),
    ]  # fmt: skip
    assert {fate.screen for fate in found.fates} == {"house", "house-2"}
    assert all(fate.pane for fate in found.fates)
    assert found.panes == MAX_PANES + 30


def test_the_command_writes_each_screen_to_a_file_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = tmp_path / "large.json", tmp_path / "screens"
    source.write_text(json.dumps(LARGE), "utf-8")
    target.mkdir()
    command = ["screens", "import", str(source), "--to", str(target / "node.yaml"), "--format", "json"]
    assert main(command) == Exit.DONE
    told = json.loads(capsys.readouterr().out)
    assert (told["screen"], [one["screen"] for one in told["more"]]) == ("node", ["node-2"])
    assert told["report"][-1]["screen"] == "node-2"
    screens, problems = load_screens(target)
    assert (sorted(one.id for one in screens), problems) == (["node", "node-2"], [])

    (target / "node.yaml").unlink()
    assert main(command) == Exit.USAGE
    assert "node-2.yaml exists" in capsys.readouterr().err
    assert not (target / "node.yaml").exists(), "all of it or nothing"

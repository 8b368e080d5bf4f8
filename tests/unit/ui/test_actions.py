"""The key table: nothing clashes, nothing is forbidden, everything is explained and carried out."""

import itertools

import pytest

from opsconsole.ui.actions import FORBIDDEN_KEYS, Place, Registry, key_name, key_text
from opsconsole.ui.screens.text import help_page


def test_no_key_means_two_things_in_one_place() -> None:
    for place in Place:
        keys = [key for action in Registry().at(place) for key in action.keys]
        assert len(keys) == len(set(keys)), place


def test_no_default_key_is_one_that_terminals_keep_for_themselves() -> None:
    assert not FORBIDDEN_KEYS.intersection(itertools.chain.from_iterable(action.keys for action in Registry()))


@pytest.mark.parametrize("place", list(Place))
def test_every_action_is_in_the_help_of_its_place(place: Place) -> None:
    registry = Registry()
    text = "\n".join("".join(span.text for span in spans) for spans in help_page(registry, place, {})(100))
    for action in registry.at(place):
        if not action.id.startswith("screen-"):
            assert action.title in text
            assert all(key_text(key) in text for key in action.keys)


def test_every_action_is_carried_out_by_a_view_of_its_place_or_by_the_console() -> None:
    from opsconsole.ui.console import Console
    from opsconsole.ui.screens.dashboard import DashboardView
    from opsconsole.ui.screens.runbook import RunbookView
    from opsconsole.ui.screens.runbooks import RunbooksView
    from opsconsole.ui.screens.text import TextView

    views = {
        Place.DASHBOARD: DashboardView,
        Place.RUN: RunbookView,
        Place.RUNBOOKS: RunbooksView,
        Place.HELP: TextView,
    }
    for place, view in views.items():
        for action in Registry().at(place):
            name = "do_" + action.id.replace("-", "_")
            assert hasattr(view, name) or hasattr(Console, name) or action.id.startswith("screen-"), (place, action.id)


def test_the_keys_of_the_contract_are_the_default_ones() -> None:
    registry = Registry()
    wanted = {
        ":": "command",
        "/": "filter",
        "?": "help",
        "ctrl+p": "palette",
        "3": "screen-3",
        "enter": "open",
        "escape": "back",
        "tab": "next-pane",
        "z": "zoom",
        "r": "refresh",
        "p": "pause",
        "t": "time-range",
        "b": "runbook",
        "n": "note",
        "y": "copy",
        "e": "last-error",
        "q": "quit",
    }
    for key, action_id in wanted.items():
        action = registry.find(key, Place.DASHBOARD)
        assert action is not None, key
        assert action.id == action_id, key


def test_a_user_can_remap_by_action_id() -> None:
    registry = Registry({"zoom": ["Z", "f11"]})
    found = registry.find("f11", Place.DASHBOARD)
    assert found is not None
    assert found.id == "zoom"
    assert registry.find("z", Place.DASHBOARD) is None
    assert registry.key("zoom") == "Z"
    assert registry.problems == []


def test_what_a_keymap_cannot_have_is_reported_and_the_default_stays() -> None:
    registry = Registry({"zoom": ["ctrl+b"], "pause": ["r"], "zom": ["x"]})
    assert [problem.action for problem in registry.problems] == ["zoom", "pause", "zom"]
    assert "zoom" in registry.problems[2].message
    assert registry.key("zoom") == "z"
    assert registry.key("pause") == "p"


def test_a_key_may_mean_another_thing_in_another_place() -> None:
    registry = Registry({"skip-step": ["y"]})
    assert registry.problems == []
    at_run, at_dashboard = registry.find("y", Place.RUN), registry.find("y", Place.DASHBOARD)
    assert at_run is not None
    assert at_dashboard is not None
    assert (at_run.id, at_dashboard.id) == ("skip-step", "copy")


def test_keys_are_named_as_they_are_typed() -> None:
    assert key_name("question_mark", "?") == "?"
    assert key_name("space", " ") == "space"
    assert key_name("ctrl+p", "\x10") == "ctrl+p"
    assert key_name("tab", "\t") == "tab"

"""Variables in titles and legends."""

from opsconsole.screens.definition import Kind, Pane, Target
from opsconsole.screens.interpolation import Selection
from opsconsole.screens.naming import named, written

CHOSEN = {"node": Selection(("app-1",)), "job": Selection(("a", "b")), "env": Selection(("x",), everything=True)}


def test_a_title_says_what_is_chosen() -> None:
    assert written("CPU of $node, ${job:pipe} in ${env}", CHOSEN) == "CPU of app-1, a, b in all"


def test_an_unknown_variable_and_a_price_stay_as_they_are() -> None:
    assert written("$other costs $5", CHOSEN) == "$other costs $5"


def test_a_label_cannot_write_to_the_terminal_through_a_title() -> None:
    assert written("$node", {"node": Selection(("a\x1b[2J\nb",))}) == "a␛[2J⏎b"


def test_the_queries_of_a_pane_are_left_alone() -> None:
    pane = Pane("a", "of $node", Kind.STAT, targets=(Target('up{instance="$node"}', "{{job}} on $node"),))
    shown = named(pane, CHOSEN)
    assert (shown.title, shown.targets[0].legend) == ("of app-1", "{{job}} on app-1")
    assert shown.targets[0].query == pane.targets[0].query

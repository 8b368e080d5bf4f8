"""The tables that import and export share: units, kinds, colours."""

import pytest

from opsconsole.core.state import State
from opsconsole.core.units import UNITS, is_unit
from opsconsole.monitoring.grafana.colours import COLOURS, state_of_colour
from opsconsole.monitoring.grafana.kinds import KINDS, PANEL_TYPES, REFUSED
from opsconsole.monitoring.grafana.units import unit_from_grafana, unit_to_grafana
from opsconsole.screens.definition import Kind


@pytest.mark.parametrize("unit", sorted(UNITS))
def test_a_unit_comes_back_from_grafana_with_the_same_meaning(unit: str) -> None:
    back, lost = unit_from_grafana(unit_to_grafana(unit))
    assert (back, lost) == ("µs" if unit == "us" else unit, "")


@pytest.mark.parametrize(
    ("grafanas", "ours", "lost"),
    [
        ("locale", "none", ""),
        ("farenheit", "fahrenheit", ""),
        ("dateTimeAsUS", "dateTimeAsIso", ""),
        ("connections", "suffix:connections", ""),
        ("suffix:req/min", "suffix:req/min", ""),
        ("si:m²", "suffix:m²", ""),
        ("currencyJPY", "suffix:JPY", ""),
        ("time:YYYY", "dateTimeAsIso", "times are written as ISO 8601, not as 'YYYY'"),
        ("x" * 30, "suffix:" + "x" * 20, f"unit '{'x' * 30}' is shortened"),
        ("suffix:", "none", ""),
        ("a\x1b[31mb", "suffix:a␛[31mb", ""),
    ],
)
def test_units_that_ours_lacks_are_words_or_said(grafanas: str, ours: str, lost: str) -> None:
    assert unit_from_grafana(grafanas) == (ours, lost)
    assert is_unit(ours)


def test_each_kind_comes_back_from_the_panel_type_it_is_written_as() -> None:
    assert set(Kind) - set(PANEL_TYPES) <= {Kind.VIEW}
    back = {kind: KINDS[panel].kind for kind, panel in PANEL_TYPES.items() if panel != "row"}
    assert {kind: other for kind, other in back.items() if kind is not other} == {Kind.STATUS: Kind.STAT}
    assert not KINDS.keys() & REFUSED.keys()


@pytest.mark.parametrize("state", list(COLOURS))
def test_a_state_comes_back_from_its_colour(state: State) -> None:
    assert state_of_colour(COLOURS[state]) is state


@pytest.mark.parametrize(
    ("colour", "state"),
    [
        ("semi-dark-red", State.CRIT),
        ("#d44a3a", State.CRIT),
        ("#F2495C", State.CRIT),
        ("#C4162A", State.CRIT),
        ("rgba(245, 54, 54, 0.9)", State.CRIT),
        ("#EAB839", State.WARN),
        ("rgba(237, 129, 40, 0.89)", State.WARN),
        ("light-yellow", State.WARN),
        ("#299c46", State.OK),
        ("rgba(50, 172, 45, 0.97)", State.OK),
        ("#5794f2", State.OK),
        ("transparent", State.OK),
        ("rgb(255, 255, 255)", State.OK),
        ("#000", State.OK),
        ("text", State.OK),
        ("rgba(1.2.3, 4, 5)", State.OK),
        ("#zzz", State.OK),
        ("", State.OK),
    ],
)
def test_the_colours_of_real_dashboards_stand_for_states(colour: str, state: State) -> None:
    assert state_of_colour(colour) is state

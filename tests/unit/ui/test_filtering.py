"""The three ways to filter."""

import pytest

from opsconsole.ui.filtering import matcher


@pytest.mark.parametrize(
    ("text", "shown", "hidden"),
    [
        ("api", "energy-API app-1", "cdn"),
        ("!api", "cdn", "api"),
        ("~^app-[12]$", "app-2", "app-3"),
        ("!~^app", "db", "app-1"),
        ("[red]", "a [red] thing", "red"),
    ],
)
def test_a_filter_shows_and_hides(text: str, shown: str, hidden: str) -> None:
    matches = matcher(text)
    assert matches is not None
    assert matches(shown)
    assert not matches(hidden)


@pytest.mark.parametrize("text", ["", "  ", "!", "~", "!~"])
def test_half_typed_filters_let_everything_pass(text: str) -> None:
    assert matcher(text) is None


def test_a_broken_expression_is_explained() -> None:
    with pytest.raises(ValueError, match="not a regular expression"):
        matcher("~(")

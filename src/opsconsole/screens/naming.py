"""Variables in what a pane is called: `CPU of $node` says which node is chosen."""

from collections.abc import Mapping
from dataclasses import replace

from opsconsole.core.clean import clean_line
from opsconsole.screens.definition import Pane
from opsconsole.screens.interpolation import Selection, references
from opsconsole.screens.variables import EVERYTHING

_LONGEST = 60
"""Characters that the values of one variable take in a title."""


def named(pane: Pane, selections: Mapping[str, Selection]) -> Pane:
    """`pane` with the variables in its title and legends written out; unknown ones stay as they are."""
    if not any("$" in text for text in (pane.title, *(target.legend for target in pane.targets))):
        return pane
    targets = tuple(replace(target, legend=written(target.legend, selections)) for target in pane.targets)
    return replace(pane, title=written(pane.title, selections), targets=targets)


def written(text: str, selections: Mapping[str, Selection]) -> str:
    """`text` with every variable as the operator reads it: its values, or the word `all`."""
    parts: list[str] = []
    position = 0
    for reference in references(text):
        selection = selections.get(reference.name)
        if selection is None:
            continue
        value = EVERYTHING if selection.everything else ", ".join(selection.values)
        parts += [text[position : reference.start], clean_line(value, limit=_LONGEST)]
        position = reference.end
    return "".join([*parts, text[position:]])

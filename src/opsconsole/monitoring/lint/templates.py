"""Templates in labels and annotations: what they ask for, and what they cannot get."""

import re
from collections.abc import Iterator

_ACTION = re.compile(r"\{\{-?(.*?)-?\}\}", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`')
_LABEL = re.compile(r"(?:\$labels|\.Labels)\.([a-zA-Z_]\w*)")
_INDEXED = re.compile(r'index\s+(?:\$labels|\.Labels)\s+"([a-zA-Z_]\w*)"')
_VARIABLE = re.compile(r"\$([a-zA-Z_]\w*)")
_GIVEN = frozenset({"labels", "value", "externalLabels", "externalURL"})


def labels_in(text: str) -> Iterator[str]:
    """The labels of the alert that the template uses, each once. Those asked for in an `if` are not missed."""
    asked: set[str] = set()
    for action in _actions(text):
        found = [*_LABEL.findall(_STRING.sub('""', action)), *_INDEXED.findall(action)]
        if action.strip().startswith(("if ", "else if ", "with ")):
            asked.update(found)
        for label in found:
            if label not in asked:
                asked.add(label)
                yield label


def uses_value(text: str) -> bool:
    """Whether the value stands in it."""
    return any("$value" in action or ".Value" in action for action in _actions(text))


def wrong_in(text: str) -> str:
    """Why it cannot be a template; empty: it can, as far as is seen here."""
    if text.count("{{") > text.count("}}"):
        return "a {{ that does not end"
    own = {name for action in _actions(text) for name in re.findall(r"\$([a-zA-Z_]\w*)\s*(?:,\s*\$\w+\s*)?:=", action)}
    own |= {name for action in _actions(text) for name in re.findall(r",\s*\$([a-zA-Z_]\w*)\s*:=", action)}
    for action in _actions(text):
        for name in _VARIABLE.findall(_STRING.sub('""', action)):
            if name not in _GIVEN and name not in own:
                return f"${name} does not exist; there are $labels, $value, $externalLabels and $externalURL"
    return ""


def _actions(text: str) -> list[str]:
    return _ACTION.findall(text)

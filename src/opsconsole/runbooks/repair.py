"""A fix as a runbook of one step: walked, confirmed, verified and recorded like every other run.

Names of tables and sessions are its parameters, never its text: whatever they contain, they reach the action as they
are, and only there.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from opsconsole.actions import registry
from opsconsole.actions.action import Risk
from opsconsole.core.clean import clean_line
from opsconsole.core.duration import duration_text
from opsconsole.runbooks.model import MADE_HERE, Runbook
from opsconsole.runbooks.parsing import parse_runbook

STEP = "fix"
"""The name of the only step, as `--confirm fix=…` wants it."""
_DESTROYED = ("pid", "index", "table")
"""The argument that says what is destroyed, whose value is then to be typed."""
_PLAIN = str.maketrans("`{}", "'()")
"""For the first line of a fence, which these would end."""
_LONGEST = 120
"""Characters of a title, or of a name in it."""


@dataclass(frozen=True, slots=True)
class Repair:
    """One action of the console, with what it is to be done to."""

    action: str
    """Its id in the registry."""
    arguments: Mapping[str, str]
    title: str
    """One line, in the operator's words: `Vacuum app.readings`."""
    why: str = ""
    """What speaks for it, with the numbers; one line."""
    destructive: bool = False
    """With these arguments it stops or destroys something, though the action as such does not."""

    @property
    def given(self) -> dict[str, str]:
        """The arguments that have a value."""
        return {name: value for name, value in self.arguments.items() if value}


def runbook_for(repair: Repair) -> Runbook:
    """The runbook whose only step carries `repair` out; its values are `values_of(repair)`.

    Raises:
        ValueError: there is no such action, or it does not take these arguments.
    """
    registration = registry.find(repair.action)
    if registration is not None and (complaints := registration.complaints(repair.given)):
        raise ValueError("; ".join(complaints))
    return parse_runbook(runbook_text(repair).encode(), f"{MADE_HERE}/{_name(repair.action)}.md")


def values_of(repair: Repair) -> dict[str, str]:
    """The values of the runbook's parameters: the arguments that are given."""
    return {name.upper(): value for name, value in repair.given.items()}


def runbook_text(repair: Repair) -> str:
    """The runbook as it is written into the run's folder.

    Raises:
        ValueError: there is no such action.
    """
    registration = registry.find(repair.action)
    if registration is None:
        raise ValueError(f"there is no action {repair.action!r}")
    given = [one for one in registration.arguments if one.name in repair.given]
    params = {
        one.name.upper(): {"type": "string", "required": True, "help": clean_line(one.help, limit=_LONGEST)}
        for one in given
    }
    title = clean_line(repair.title, limit=_LONGEST)
    front = {"runbook": 1, "id": _name(repair.action), "title": title, "params": params}
    # JSON is YAML, and no name can end a JSON string early.
    head = "\n".join(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in front.items() if value)
    attributes = {
        "name": STEP,
        "title": title.translate(_PLAIN),
        "kind": "action",
        "action": repair.action,
        "timeout": duration_text(registration.timeout),
        "excludeFromRunAll": "true",
    }
    if repair.destructive or registration.risk is Risk.DESTRUCTIVE:
        what = next(one.name.upper() for one in given if one.name in _DESTROYED)
        attributes |= {"risk": "destructive", "confirm": f"type:{what}"}
    body = "\n".join(f"{one.name}: ${one.name.upper()}" for one in given)
    # The words before it keep a text from outside from being read as a fence, a heading or a list.
    why = f"Why: {clean_line(repair.why, limit=1000)}\n\n" if repair.why else ""
    step = f"```text {json.dumps(attributes)}\n{body}\n```\n"
    return f"---\n{head}\n---\n\n## {title}\n\n{why}{step}"


def _name(action: str) -> str:
    return action.replace(".", "-")

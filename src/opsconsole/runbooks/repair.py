"""A fix as a runbook of one step, several as one of a step each: walked, confirmed, verified and recorded like any run.

Names of tables and sessions are its parameters, never its text: whatever they contain, they reach the action as they
are, and only there.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

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
MOST_AT_ONCE = 100
"""Repairs of one run: what can still be read before it is confirmed, and what front matter has room for."""


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
    foresee: Callable[[Mapping[str, str]], str] | None = field(default=None, compare=False, repr=False)
    """`why` for other arguments; None: it is the same for any."""
    renew: "Callable[[Repair], Awaitable[tuple[Repair, str]]] | None" = field(default=None, compare=False, repr=False)
    """(this, with what was entered since, as things are now; what is different), for one that did not go well because
    they changed; None: nothing is known of that. Raises ValueError or SourceError: why there is none."""

    @property
    def given(self) -> dict[str, str]:
        """The arguments that have a value."""
        return {name: value for name, value in self.arguments.items() if value}


def runbook_for(repair: Repair) -> Runbook:
    """The runbook whose only step carries `repair` out; its values are `values_of(repair)`.

    Raises:
        ValueError: there is no such action, or it does not take these arguments.
    """
    _check(repair)
    return parse_runbook(runbook_text(repair).encode(), f"{MADE_HERE}/{_name(repair.action)}.md")


def runbook_for_all(repairs: Sequence[Repair], title: str) -> Runbook:
    """The runbook that carries `repairs` out one after the other, a step each; its values are `values_of_all(repairs)`.

    One that fails does not hold the others up: they are about different things.

    Raises:
        ValueError: as `runbook_for`, or they are more than `MOST_AT_ONCE`.
    """
    if len(repairs) > MOST_AT_ONCE:
        raise ValueError(f"{len(repairs)} at once are more than one can read; at most {MOST_AT_ONCE}: mark fewer")
    for repair in repairs:
        _check(repair)
    params: dict[str, Any] = {}
    steps: list[str] = []
    for place, repair in enumerate(repairs, 1):
        params |= _params(repair, f"_{place}", help_too=False)
        steps.append(_step(repair, f"{STEP}-{place}", f"_{place}", onFail="continue"))
    name = f"{_name(repairs[0].action)}-{len(repairs)}"
    return parse_runbook(_document(name, title, params, steps).encode(), f"{MADE_HERE}/{name}.md")


def values_of(repair: Repair) -> dict[str, str]:
    """The values of the runbook's parameters: the arguments that are given."""
    return {name.upper(): value for name, value in repair.given.items()}


def with_values(repair: Repair, values: Mapping[str, str]) -> Repair:
    """`repair` with these values of its runbook's parameters, and with what they would do as its `why`."""
    arguments = {**repair.arguments, **{name.lower(): value for name, value in values.items()}}
    why = repair.foresee(arguments) if repair.foresee is not None else repair.why
    return replace(repair, arguments=arguments, why=why)


def unasked(book: Runbook) -> frozenset[str]:
    """The parameters of a runbook made here that are not for people to say."""
    return frozenset(
        name
        for step in book.steps
        if book.made_here and (registration := registry.find(step.action)) is not None
        for argument, text in step.arguments
        if (name := text.removeprefix("$")) != text and argument in registration.unasked
    )


def values_of_all(repairs: Sequence[Repair]) -> dict[str, str]:
    """The values for `runbook_for_all`: the arguments of the first are `NAME_1`, of the second `NAME_2`."""
    return {
        f"{name.upper()}_{place}": value
        for place, repair in enumerate(repairs, 1)
        for name, value in repair.given.items()
    }


def runbook_text(repair: Repair) -> str:
    """The runbook as it is written into the run's folder.

    Raises:
        ValueError: there is no such action.
    """
    return _document(_name(repair.action), repair.title, _params(repair), [_step(repair, STEP)])


def _check(repair: Repair) -> None:
    registration = registry.find(repair.action)
    if registration is not None and (complaints := registration.complaints(repair.given)):
        raise ValueError("; ".join(complaints))


def _document(name: str, title: str, params: Mapping[str, Any], steps: Sequence[str]) -> str:
    title = clean_line(title, limit=_LONGEST)
    front = {"runbook": 1, "id": name, "title": title, "params": params}
    # JSON is YAML, and no name can end a JSON string early.
    head = "\n".join(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in front.items() if value)
    return f"---\n{head}\n---\n\n## {title}\n\n" + "\n".join(steps)


def _registered(repair: Repair) -> registry.Registration:
    registration = registry.find(repair.action)
    if registration is None:
        raise ValueError(f"there is no action {repair.action!r}")
    return registration


def _given(repair: Repair) -> list[registry.Argument]:
    return [one for one in _registered(repair).arguments if one.name in repair.given]


def _params(repair: Repair, suffix: str = "", *, help_too: bool = True) -> dict[str, Any]:
    return {
        f"{one.name.upper()}{suffix}": {
            "type": "string",
            "required": True,
            **({"help": clean_line(one.help, limit=_LONGEST)} if help_too else {}),
        }
        for one in _given(repair)
    }


def _step(repair: Repair, name: str, suffix: str = "", **more: str) -> str:
    registration, given = _registered(repair), _given(repair)
    attributes = {
        "name": name,
        "title": clean_line(repair.title, limit=_LONGEST).translate(_PLAIN),
        "kind": "action",
        "action": repair.action,
        "timeout": duration_text(registration.timeout),
        "excludeFromRunAll": "true",
        **more,
    }
    if repair.destructive or registration.risk is Risk.DESTRUCTIVE:
        what = next(one.name.upper() for one in given if one.name in _DESTROYED)
        attributes |= {"risk": "destructive", "confirm": f"type:{what}{suffix}"}
    body = "\n".join(f"{one.name}: ${one.name.upper()}{suffix}" for one in given)
    # The words before it keep a text from outside from being read as a fence, a heading or a list.
    why = f"Why: {clean_line(repair.why, limit=1000)}\n\n" if repair.why else ""
    return f"{why}```text {json.dumps(attributes)}\n{body}\n```\n"


def _name(action: str) -> str:
    return action.replace(".", "-")

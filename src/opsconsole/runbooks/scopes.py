"""Which values a step sees: the run's own, or those of the include it came with.

Values of a run are one flat mapping: parameters and captured values by name, those that steps of an include captured
as `INCLUDE.NAME`. The parameters of an include are filled from its arguments, each time they are looked at, for these
may name what was captured on the way.
"""

from collections.abc import Mapping

from opsconsole.runbooks.model import ARGUMENT_SLOT, Param, Runbook
from opsconsole.runbooks.parameters import Complaint, fill


def with_arguments(text: str, values: Mapping[str, str]) -> str:
    """The value of an argument: `text` with each `$NAME` replaced."""
    return ARGUMENT_SLOT.sub(lambda found: values.get(found[1] or found[2], ""), text)


def values_in(runbook: Runbook, scope: str, values: Mapping[str, str]) -> dict[str, str]:
    """What steps of `scope` see of a run's `values`."""
    return _filled(runbook, scope, values)[0]


def complaints_in(runbook: Runbook, scope: str, values: Mapping[str, str]) -> tuple[Complaint, ...]:
    """What is wrong with the values that `scope` was given."""
    return _filled(runbook, scope, values)[1]


def named_in(scope: str, name: str) -> str:
    """How a value captured by a step of `scope` is called in the run's values."""
    return f"{scope}.{name}" if scope else name


def param_in(runbook: Runbook, scope: str, name: str) -> Param | None:
    """The parameter of that name that steps of `scope` know."""
    return (runbook.scopes[scope].runbook if scope else runbook).param(name)


def _filled(runbook: Runbook, scope: str, values: Mapping[str, str]) -> tuple[dict[str, str], tuple[Complaint, ...]]:
    if not scope:
        return {name: value for name, value in values.items() if "." not in name}, ()
    included = runbook.scopes[scope]
    outer, wrong = _filled(runbook, included.parent, values)
    given = {name: with_arguments(text, outer) for name, text in included.arguments}
    filled = fill(included.runbook.params, given)
    prefix = f"{scope}."
    captured = {
        name.removeprefix(prefix): value
        for name, value in values.items()
        if name.startswith(prefix) and "." not in name.removeprefix(prefix)
    }
    return {**filled.values, **captured}, (*wrong, *filled.complaints)

"""The exact text of what a step would do: what is shown, confirmed, journalled, and can be pasted elsewhere."""

import hashlib
import re
import shlex
from collections.abc import Mapping

from opsconsole.core.secret import MASK, Secret
from opsconsole.runbooks.model import ARGUMENT_SLOT, Kind, Step


def fingerprint(command: str) -> str:
    """What tells a command from another one: a front says with it which one the operator has seen."""
    return hashlib.sha256(command.encode("utf-8", "surrogateescape")).hexdigest()


def exact_command(step: Step, values: Mapping[str, str | Secret]) -> str:
    """What `step` does with `values`: for shell and psql to be pasted as it is, secrets apart.

    Args:
        step: any step; a manual one says what has to be done.
        values: all that the step sees; only what it mentions is written down.
    """
    mentioned = {name: value for name, value in values.items() if re.search(rf"\b{re.escape(name)}\b", step.body)}
    if step.kind is Kind.SHELL:
        lines = [f"export {name}={_shell_quoted(value)}" for name, value in mentioned.items()]
    elif step.kind in (Kind.ACTION, Kind.INCLUDE):
        named = [f"{name}: {_inserted(text, values)}" for name, text in step.arguments]
        return "\n".join([step.action or f"include {step.includes}", *named])
    elif step.kind is Kind.WAIT:
        how = f"wait {step.duration:g} s" if step.duration else f"wait until {step.wait_for} succeeds"
        return "\n".join(line for line in (how, step.body) if line)
    elif step.kind is Kind.SQL:
        lines = [f"\\set {name} {_psql_quoted(value)}" for name, value in mentioned.items()]
        if step.conn:
            lines.insert(0, f"-- on {step.conn}")
    else:
        lines = [f"# on {step.conn}"] if step.conn else []
    return "\n".join([*lines, step.body])


def _inserted(text: str, values: Mapping[str, str | Secret]) -> str:
    def put(found: re.Match[str]) -> str:
        value = values.get(found[1] or found[2], "")
        return MASK if isinstance(value, Secret) else value

    return ARGUMENT_SLOT.sub(put, text)


def _shell_quoted(value: str | Secret) -> str:
    return f"'{MASK}'" if isinstance(value, Secret) else shlex.quote(value)


def _psql_quoted(value: str | Secret) -> str:
    if isinstance(value, Secret):
        return f"'{MASK}'"
    escaped = (
        value.replace("\\", "\\\\").replace("'", "''").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    )
    return f"'{escaped}'"

"""What attributes mean for the kind of their step, and which have no meaning for it."""

import math
import re
from typing import Any

from opsconsole.actions import registry
from opsconsole.actions.action import Risk
from opsconsole.core.clean import clean_line
from opsconsole.runbooks.attribute_reader import Reader
from opsconsole.runbooks.frontmatter import VARIABLE
from opsconsole.runbooks.model import ANSWERED, PEACEFUL, Comparison, Count, Expectations, Hosts, Kind

MEANT_FOR: dict[str, frozenset[Kind]] = {
    "conn": frozenset({Kind.SQL, Kind.PROM}),
    "txn": frozenset({Kind.SQL}),
    "maxRows": frozenset({Kind.SQL, Kind.PROM}),
    "expectRows": frozenset({Kind.SQL, Kind.PROM}),
    "expectValue": frozenset({Kind.PROM}),
    "expectStatus": frozenset({Kind.HTTP}),
    "expectExit": frozenset({Kind.SHELL}),
    "cwd": frozenset({Kind.SHELL}),
    "interactive": frozenset({Kind.SHELL}),
    "background": frozenset({Kind.SHELL}),
    "lock": frozenset({Kind.SHELL, Kind.SQL, Kind.HTTP, Kind.PROM, Kind.ACTION}),
    "host": frozenset({Kind.SHELL}),
    "hosts": frozenset({Kind.SHELL}),
    "parallel": frozenset({Kind.SHELL}),
    "maxFail": frozenset({Kind.SHELL}),
    "until": frozenset({Kind.SHELL, Kind.SQL, Kind.HTTP, Kind.PROM, Kind.WAIT}),
    "every": frozenset({Kind.SHELL, Kind.SQL, Kind.HTTP, Kind.PROM, Kind.WAIT}),
    "capture": frozenset({Kind.SHELL, Kind.SQL, Kind.HTTP, Kind.PROM, Kind.ACTION}),
    "captureRegex": frozenset({Kind.SHELL, Kind.SQL, Kind.HTTP, Kind.PROM, Kind.ACTION}),
    "options": frozenset({Kind.CHOICE}),
    "set": frozenset({Kind.CHOICE}),
    "duration": frozenset({Kind.WAIT}),
    "runbook": frozenset({Kind.INCLUDE}),
    "only": frozenset({Kind.INCLUDE}),
    "action": frozenset({Kind.ACTION}),
    "args": frozenset({Kind.ACTION, Kind.INCLUDE}),
}
"""Attributes that mean something for some kinds only. Elsewhere they would be ignored, and somebody relies on them."""

_HARMLESS = frozenset({("interactive", "false"), ("background", "false")})
"""What runme wants said of many blocks, and what is so anyway."""

STEP_UNTIL = re.compile(r"step:([a-z0-9][a-z0-9-]{0,63})")
_COMPARISON = re.compile(r"(<=|>=|!=|<|>|==?)\s*([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?)")
_METHOD = re.compile(r"\s*([A-Za-z]{1,20})[ \t]")
_LOOKING = frozenset({"GET", "HEAD"})
_ARGUMENT = re.compile(r"([A-Za-z][A-Za-z0-9_]{0,63})[ \t]*[:=][ \t]*(.*)")
_LEVELS = tuple(Risk)


def read_risk(kind: Kind, reader: Reader, body: str) -> Risk:
    """The risk that is declared, or the one that follows from what the step does, if that is more."""
    declared = reader.choice("risk", tuple(Risk), "")
    if kind in PEACEFUL:
        least = Risk.READ
        if declared and declared != Risk.READ:
            reader.report("risk", "bad-risk", f"risk: {kind} steps change nothing; it is read")
        return least
    if kind is Kind.HTTP:
        found = _METHOD.match(body)
        least = Risk.READ if found and found[1].upper() in _LOOKING else Risk.WRITE
        why = f"{found[1].upper() if found else 'it'} can change something"
    elif kind is Kind.ACTION:
        known = registry.find(reader.text("action"))
        least = known.risk if known else Risk.WRITE
        why = f"the action is {least}"
    else:
        return Risk(declared or Risk.WRITE)
    if declared and _LEVELS.index(Risk(declared)) < _LEVELS.index(least):
        reader.report("risk", "bad-risk", f"risk: {why}; it cannot be less than {least}")
    return max(least, Risk(declared or Risk.READ), key=_LEVELS.index)


def read_kind_fields(kind: Kind, reader: Reader, body: str) -> dict[str, Any]:
    """The fields of `Step` that only some kinds have."""
    until = STEP_UNTIL.fullmatch(reader.text("until"))
    return {
        "conn": reader.text("conn"),
        "max_rows": reader.number("maxRows", 100, 1, 10_000),
        "cwd": reader.text("cwd"),
        "txn": reader.flag("txn"),
        "lock": reader.text("lock"),
        "interactive": reader.flag("interactive"),
        "background": reader.flag("background"),
        "hosts": _hosts(reader),
        "options": reader.words("options"),
        "sets": _variable(reader, "set"),
        "duration": reader.seconds("duration"),
        "wait_for": until[1] if kind is Kind.WAIT and until else "",
        "includes": reader.text("runbook"),
        "only": reader.words("only"),
        "action": reader.text("action"),
        "arguments": _arguments(reader, body) if kind in (Kind.ACTION, Kind.INCLUDE) else (),
    }


def report_misplaced(kind: Kind, reader: Reader) -> None:
    """Attributes that this kind would ignore."""
    for name, value in reader.attributes.items():
        meant = MEANT_FOR.get(name)
        if meant is not None and kind not in meant and (name, value) not in _HARMLESS:
            kinds = ", ".join(sorted(meant))
            reader.report(name, "misplaced-attribute", f"{name} means nothing for {kind} steps; it is for {kinds}")
    if kind in ANSWERED and reader.text("confirm") not in ("", "none"):
        reader.report("confirm", "misplaced-attribute", f"confirm means nothing for {kind} steps; they are answered")


def read_expectations(kind: Kind, reader: Reader) -> Expectations:
    """When the step counts as good. For PromQL `expect` and `until` can be comparisons."""
    exits = reader.words("expectExit")
    if any(not re.fullmatch(r"[0-9]{1,3}", word) or int(word) > 255 for word in exits):
        reader.report("expectExit", "bad-number", "expectExit: expected exit codes from 0 to 255")
        exits = ()
    promql = kind is Kind.PROM
    value = _comparison(reader.text("expectValue"))
    if reader.text("expectValue") and value is None:
        reader.wrong("expectValue", "bad-number", "a comparison such as >0 or <=0.5")
    if promql and value is None:
        value = _comparison(reader.text("expect"))
    until_value = _comparison(reader.text("until")) if promql else None
    compared = promql and _comparison(reader.text("expect")) is not None
    return Expectations(
        exits=tuple(int(word) for word in exits) or (0,),
        rows=_count(reader),
        match="" if compared else reader.pattern("expect"),
        reject=reader.pattern("reject"),
        until="" if until_value or kind is Kind.WAIT else reader.pattern("until"),
        every=reader.seconds("every") or 2.0,
        value=value,
        until_value=until_value,
        statuses=_statuses(reader),
    )


def _comparison(text: str) -> Comparison | None:
    found = _COMPARISON.fullmatch(text.strip())
    if not found or not math.isfinite(number := float(found[2])):
        return None
    relation: Any = "=" if found[1] == "==" else found[1]
    return Comparison(relation, number)


def _count(reader: Reader) -> Count | None:
    value = reader.text("expectRows")
    if not value:
        return None
    found = re.fullmatch(r"(<=|>=|!=|<|>|==?)?\s*([0-9]{1,9})", value)
    if not found:
        reader.wrong("expectRows", "bad-number", ">0, =0 or <10")
        return None
    relation: Any = "=" if found[1] in (None, "==") else found[1]
    return Count(relation, int(found[2]))


def _statuses(reader: Reader) -> tuple[str, ...]:
    words = tuple(word.lower() for word in reader.words("expectStatus"))
    if any(not re.fullmatch(r"[1-5](xx|[0-9]{2})", word) for word in words):
        reader.wrong("expectStatus", "bad-number", "status codes and classes such as 200, 404, 2xx")
        return ("2xx",)
    return words or ("2xx",)


def _hosts(reader: Reader) -> Hosts | None:
    host, group = reader.text("host"), reader.text("hosts")
    if host and group:
        reader.report("host", "hosts", "host and hosts; one of them")
    for attribute in ("parallel", "maxFail"):
        if attribute in reader.attributes and not group:
            reader.report(attribute, "hosts", f"{attribute} without hosts; expected the name of a group")
    for attribute, value in (("host", host), ("hosts", group)):
        if value and not re.fullmatch(rf"\$?{VARIABLE}|[A-Za-z0-9_][A-Za-z0-9_.-]{{0,252}}", value):
            reader.wrong(attribute, "hosts", "a name from hosts: in the configuration, or $PARAMETER")
            return Hosts("?")  # what cannot be read must not turn into "here"
    if not host and not group:
        return None
    return Hosts(host, group, reader.number("parallel", 1, 1, 500), reader.number("maxFail", 0, 0, 100_000))


def _variable(reader: Reader, name: str) -> str:
    value = reader.text(name)
    if value and not re.fullmatch(VARIABLE, value):
        reader.wrong(name, "bad-name", "a name of capitals, digits and '_', such as ACTION")
        return ""
    return value


def _arguments(reader: Reader, body: str) -> tuple[tuple[str, str], ...]:
    """`name: value` lines of the body, and `name=value` entries of `args`."""
    found: dict[str, str] = {}
    for text in (*reader.words("args"), *body.splitlines()):
        line = text.strip()
        if not line or line.startswith("#"):
            continue
        pair = _ARGUMENT.fullmatch(line)
        if pair is None:
            expected = "one argument a line, such as service: $SERVICE"
            reader.report("name", "bad-argument", f"{clean_line(line, limit=60)!r}; expected {expected}")
        elif pair[1] in found:
            reader.report("name", "bad-argument", f"{pair[1]} is given twice")
        else:
            found[pair[1]] = pair[2].strip()
    return tuple(found.items())

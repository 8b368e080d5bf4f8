"""From a fence's attributes, which are strings, to the typed fields of a step. Every mistake becomes a problem."""

import difflib
import re
from typing import Any

from opsconsole.actions.action import Risk
from opsconsole.core.clean import clean_line
from opsconsole.core.problem import nearest
from opsconsole.runbooks.attribute_reader import Reader
from opsconsole.runbooks.kind_attributes import read_expectations, read_kind_fields, read_risk
from opsconsole.runbooks.model import ANSWERED, Condition, Confirm, Kind

SHELLS = ("sh", "bash", "zsh")
KIND_OF_LANGUAGE = {
    **dict.fromkeys((*SHELLS, "shell"), Kind.SHELL),
    "sql": Kind.SQL,
    "http": Kind.HTTP,
    "promql": Kind.PROM,
    "text": Kind.CONFIRM,
}
STEP_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")

RUNME = frozenset(
    {
        "name",
        "id",
        "interactive",
        "background",
        "cwd",
        "interpreter",
        "mimeType",
        "promptEnv",
        "excludeFromRunAll",
        "ignore",
        "transform",
        "tag",
        "category",
        "closeTerminalOnSuccess",
        "terminalRows",
        "skipPrompts",
    }
)
OURS = frozenset(
    {
        "name",
        "kind",
        "title",
        "risk",
        "confirm",
        "timeout",
        "retries",
        "retryDelay",
        "until",
        "every",
        "when",
        "onFail",
        "critical",
        "verify",
        "undo",
        "expectExit",
        "expectRows",
        "expect",
        "reject",
        "capture",
        "captureRegex",
        "host",
        "hosts",
        "parallel",
        "maxFail",
        "onHangup",
        "idempotent",
        "interactive",
        "background",
        "env",
        "conn",
        "maxRows",
        "lock",
        "approvers",
        "txn",
        "expectStatus",
        "expectValue",
        "runbook",
        "only",
        "options",
        "set",
        "action",
        "args",
        "duration",
        "excludeFromRunAll",
        "cwd",
    }
)
LATER = frozenset({"interpreter", "promptEnv"})
"""Attributes that would change what a step does, and that this version does not carry out."""
_HARMLESS = frozenset({("promptEnv", "no")})


def read_kind(language: str, reader: Reader) -> Kind:
    """The kind by `kind`, else by the language. A language without a kind is reported and taken for shell."""
    named = reader.choice("kind", tuple(Kind), "")
    if named:
        return Kind(named)
    found = KIND_OF_LANGUAGE.get(language)
    if found is None:
        what = f"blocks in {clean_line(language, limit=40)!r}" if language else "blocks without a language"
        reader.report("name", "no-kind", f'{what} cannot be steps; write sh, bash, sql, or add "kind"')
        return Kind.SHELL
    return found


def read_fields(kind: Kind, reader: Reader, body: str = "") -> dict[str, Any]:
    """The fields of `Step` that attributes (and for some kinds the body) decide, except name, kind and title."""
    risk = read_risk(kind, reader, body)
    return {
        "risk": risk,
        "confirm": _confirm(reader, kind, risk),
        "timeout": reader.seconds("timeout"),
        "retries": reader.number("retries", 0, 0, 10),
        "retry_delay": reader.seconds("retryDelay") or 5.0,
        "when": _conditions(reader),
        "on_fail": _on_fail(reader),
        "critical": reader.text("critical").lower() != "false",
        "verify": reader.text("verify"),
        "undo": reader.text("undo"),
        "expectations": read_expectations(kind, reader),
        "capture": reader.variables("capture"),
        "capture_pattern": reader.pattern("captureRegex"),
        "env": reader.variables("env") if "env" in reader.attributes else None,
        "idempotent": reader.flag("idempotent"),
        "exclude_from_run_all": reader.flag("excludeFromRunAll"),
        **read_kind_fields(kind, reader, body),
    }


def report_unknown(reader: Reader) -> None:
    """Typing errors of our attributes, and attributes that this version cannot honour. Others are runme's to ignore."""
    for name, value in reader.attributes.items():
        if name in LATER and (name, value) not in _HARMLESS:
            reader.report(name, "not-yet", f"{name} cannot be honoured yet in this version")
        elif name not in OURS and name not in RUNME and difflib.get_close_matches(name, OURS, n=1, cutoff=0.75):
            hint = nearest(name, sorted(OURS))
            reader.report(name, "unknown-attribute", f"unknown attribute {clean_line(name, limit=60)!r}{hint}")


def _confirm(reader: Reader, kind: Kind, risk: Risk) -> Confirm:
    value = reader.text("confirm")
    mode, _, text = value.partition(":")
    text = text.strip()
    if mode == "type" and text:
        return Confirm("type", text)
    if mode == "approve" and re.fullmatch("[1-9]", text):
        return Confirm("approve", count=int(text), approvers=reader.words("approvers"))
    default: Any = "yes" if kind is Kind.CONFIRM or (risk is not Risk.READ and kind not in ANSWERED) else "none"
    if value == "none" and kind is not Kind.CONFIRM:
        return Confirm("none")
    if value in ("", "yes"):
        return Confirm("yes" if value else default)
    expected = "none, yes, type:TEXT, approve:N (1 to 9)" if kind is not Kind.CONFIRM else "yes, type:TEXT, approve:N"
    reader.report("confirm", "bad-confirm", f"confirm: {clean_line(value, limit=60)!r}; expected {expected}")
    return Confirm("yes")


def _on_fail(reader: Reader) -> str:
    value = reader.text("onFail")
    if value in ("", "ask", "stop", "continue", "rollback") or re.fullmatch(rf"goto:{STEP_NAME.pattern}", value):
        return value
    reader.report(
        "onFail",
        "bad-choice",
        f"onFail: {clean_line(value, limit=60)!r}; expected ask, stop, continue, rollback, goto:NAME",
    )
    return "stop"


def _conditions(reader: Reader) -> tuple[Condition, ...]:
    value = reader.text("when")
    if not value:
        return ()
    conditions = []
    for term in value.split("&&"):
        found = re.fullmatch(r"(?:(step:)([a-z0-9][a-z0-9-]*)|([A-Z][A-Z0-9_]*))\s*(!?=)=?\s*(.*)", term.strip())
        if not found:
            expected = "terms such as VAR=value, VAR!=value or step:NAME=ok, joined by &&"
            reader.report("when", "bad-condition", f"when: {clean_line(value, limit=60)!r}; expected {expected}")
            # a condition that cannot be read must not turn into "always"
            return (Condition("", False, True, "never"),)
        conditions.append(Condition(found[2] or found[3], found[1] is not None, found[4] == "=", found[5]))
    return tuple(conditions)

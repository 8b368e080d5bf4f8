"""From a fence's attributes, which are strings, to the typed fields of a step. Every mistake becomes a problem."""

import difflib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from opsconsole.actions.action import Risk
from opsconsole.core.clean import clean_line
from opsconsole.core.duration import parse_duration
from opsconsole.core.problem import nearest
from opsconsole.runbooks.frontmatter import VARIABLE
from opsconsole.runbooks.model import Condition, Confirm, Count, Expectations, Kind

SHELLS = ("sh", "bash", "zsh")
KIND_OF_LANGUAGE = {
    **dict.fromkeys((*SHELLS, "shell"), Kind.SHELL),
    "sql": Kind.SQL,
    "http": Kind.HTTP,
    "promql": Kind.PROM,
    "text": Kind.CONFIRM,
}
STEP_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
MAX_PATTERN = 1000

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
        "env",
        "conn",
        "maxRows",
        "lock",
        "approvers",
        "txn",
        "runbook",
        "only",
        "options",
        "set",
        "args",
        "excludeFromRunAll",
        "cwd",
    }
)
LATER = frozenset(
    {
        "host",
        "hosts",
        "parallel",
        "maxFail",
        "approvers",
        "lock",
        "captureRegex",
        "txn",
        "interactive",
        "background",
        "interpreter",
        "promptEnv",
    }
)
"""Attributes that would change what a step does, and that this version does not carry out."""
_HARMLESS = frozenset({("interactive", "false"), ("background", "false"), ("txn", "false"), ("promptEnv", "no")})

Report = Callable[[str, str, str], None]
"""(attribute, code, message)."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads attributes of one fence; what is wrong goes to `report`, and the default is used."""

    attributes: Mapping[str, str]
    report: Report

    def text(self, name: str) -> str:
        """The value, or nothing."""
        return self.attributes.get(name, "").strip()

    def flag(self, name: str) -> bool:
        """`true` or `false`."""
        value = self.text(name).lower()
        if value not in ("", "true", "false"):
            self._wrong(name, "bad-boolean", '"true" or "false"')
        return value == "true"

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number within bounds."""
        value = self.text(name)
        if not value:
            return default
        if not re.fullmatch(r"[0-9]{1,9}", value) or not low <= int(value) <= high:
            self._wrong(name, "bad-number", f"a whole number from {low} to {high}")
            return default
        return int(value)

    def seconds(self, name: str) -> float | None:
        """A duration of more than nothing and at most a day."""
        value = self.text(name)
        if not value:
            return None
        try:
            seconds = parse_duration(value[:60])
        except ValueError:
            self._wrong(name, "bad-duration", "a duration such as 500ms, 30s, 5m or 2h")
            return None
        if not 0 < seconds <= 86400:
            self._wrong(name, "bad-duration", "more than nothing and at most 1d")
            return None
        return seconds

    def words(self, name: str) -> tuple[str, ...]:
        """A JSON array of strings, or words separated by commas or spaces."""
        value = self.text(name)
        if value.startswith("["):
            try:
                read: Any = json.loads(value)
            except (ValueError, RecursionError):
                read = None
            if isinstance(read, list):
                return tuple(str(entry) for entry in read if isinstance(entry, str | int | float))
        return tuple(word for word in re.split(r"[\s,]+", value) if word)

    def variables(self, name: str) -> tuple[str, ...]:
        """Names of parameters or captured values."""
        words = self.words(name)
        for word in words:
            if not re.fullmatch(VARIABLE, word):
                self._wrong(name, "bad-name", "names of capitals, digits and '_', such as DAG_ID")
                return ()
        return words

    def choice(self, name: str, words: tuple[str, ...], default: str) -> str:
        """One of `words`."""
        value = self.text(name)
        if value and value not in words:
            hint = nearest(value, words)
            self._wrong(name, "bad-choice", f"one of {', '.join(words)}{hint}")
            return default
        return value or default

    def pattern(self, name: str) -> str:
        """A regular expression."""
        value = self.attributes.get(name, "")
        try:
            if len(value) > MAX_PATTERN:
                raise ValueError
            re.compile(value)
        except (re.error, ValueError, RecursionError, OverflowError):
            self._wrong(name, "bad-pattern", f"a regular expression of at most {MAX_PATTERN} characters")
            return ""
        return value

    def _wrong(self, name: str, code: str, expected: str) -> None:
        shown = clean_line(self.attributes.get(name, ""), limit=60)
        self.report(name, code, f"{name}: {shown!r}; expected {expected}")


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


def read_fields(kind: Kind, reader: Reader) -> dict[str, Any]:
    """The fields of `Step` that attributes decide, except name, kind and title."""
    risk = Risk(reader.choice("risk", tuple(Risk), Risk.WRITE if kind is not Kind.MANUAL else Risk.READ))
    return {
        "risk": risk,
        "confirm": _confirm(reader, risk),
        "timeout": reader.seconds("timeout"),
        "retries": reader.number("retries", 0, 0, 10),
        "retry_delay": reader.seconds("retryDelay") or 5.0,
        "when": _conditions(reader),
        "on_fail": _on_fail(reader),
        "critical": reader.text("critical").lower() != "false",
        "verify": reader.text("verify"),
        "undo": reader.text("undo"),
        "expectations": _expectations(reader),
        "capture": reader.variables("capture"),
        "env": reader.variables("env") if "env" in reader.attributes else None,
        "conn": reader.text("conn"),
        "max_rows": reader.number("maxRows", 100, 1, 10_000),
        "idempotent": reader.flag("idempotent"),
        "exclude_from_run_all": reader.flag("excludeFromRunAll"),
        "cwd": reader.text("cwd"),
    }


def report_unknown(reader: Reader) -> None:
    """Typing errors of our attributes, and attributes that this version cannot honour. Others are runme's to ignore."""
    for name, value in reader.attributes.items():
        if name in LATER and (name, value) not in _HARMLESS:
            reader.report(name, "not-yet", f"{name} cannot be honoured yet in this version")
        elif name not in OURS and name not in RUNME and difflib.get_close_matches(name, OURS, n=1, cutoff=0.75):
            hint = nearest(name, sorted(OURS))
            reader.report(name, "unknown-attribute", f"unknown attribute {clean_line(name, limit=60)!r}{hint}")


def _confirm(reader: Reader, risk: Risk) -> Confirm:
    value = reader.text("confirm")
    mode, _, text = value.partition(":")
    if mode == "type" and text.strip():
        return Confirm("type", text.strip())
    if value == "none":
        return Confirm("none")
    if value == "yes" or not value:
        return Confirm("yes" if value or risk is not Risk.READ else "none")
    if mode == "approve":
        reader.report("confirm", "not-yet", "approval by a second person cannot be honoured yet in this version")
    else:
        reader.report(
            "confirm", "bad-confirm", f"confirm: {clean_line(value, limit=60)!r}; expected none, yes, type:TEXT"
        )
    return Confirm("yes")


def _on_fail(reader: Reader) -> str:
    value = reader.text("onFail")
    if value in ("", "ask", "stop", "continue", "rollback") or re.fullmatch(rf"goto:{STEP_NAME.pattern}", value):
        return value
    reader.report(
        "onFail", "bad-choice", f"onFail: {clean_line(value, limit=60)!r}; expected ask, stop, continue, goto:NAME"
    )
    return "stop"


def _conditions(reader: Reader) -> tuple[Condition, ...]:
    value = reader.text("when")
    if not value:
        return ()
    conditions = []
    for term in value.split("&&"):
        found = re.fullmatch(r"(?:(step:)([a-z0-9][a-z0-9-]*)|([A-Z][A-Z0-9_]*))\s*(!?=)=?\s*(\S*)", term.strip())
        if not found:
            expected = "terms such as VAR=value, VAR!=value or step:NAME=ok, joined by &&"
            reader.report("when", "bad-condition", f"when: {clean_line(value, limit=60)!r}; expected {expected}")
            # a condition that cannot be read must not turn into "always"
            return (Condition("", False, True, "never"),)
        conditions.append(Condition(found[2] or found[3], found[1] is not None, found[4] == "=", found[5]))
    return tuple(conditions)


def _expectations(reader: Reader) -> Expectations:
    exits = reader.words("expectExit")
    if any(not re.fullmatch(r"[0-9]{1,3}", word) or int(word) > 255 for word in exits):
        reader.report("expectExit", "bad-number", "expectExit: expected exit codes from 0 to 255")
        exits = ()
    return Expectations(
        exits=tuple(int(word) for word in exits) or (0,),
        rows=_count(reader),
        match=reader.pattern("expect"),
        reject=reader.pattern("reject"),
        until=reader.pattern("until"),
        every=reader.seconds("every") or 2.0,
    )


def _count(reader: Reader) -> Count | None:
    value = reader.text("expectRows")
    if not value:
        return None
    found = re.fullmatch(r"(<=|>=|!=|<|>|==?)?\s*([0-9]{1,9})", value)
    if not found:
        reader.report(
            "expectRows", "bad-number", f"expectRows: {clean_line(value, limit=60)!r}; expected >0, =0 or <10"
        )
        return None
    relation: Any = "=" if found[1] in (None, "==") else found[1]
    return Count(relation, int(found[2]))

"""What is wrong, or merely unwise, with a runbook: each finding with file, line, column, severity and a stable code."""

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from opsconsole.actions.action import Risk
from opsconsole.core.problem import Problem, Severity, nearest
from opsconsole.runbooks.body_lint import Finding, Names, body_findings
from opsconsole.runbooks.frontmatter import VARIABLE
from opsconsole.runbooks.includes import Find, beside, include_faults
from opsconsole.runbooks.kind_lint import kind_faults, needs_timeout, waited_for, wants_risk
from opsconsole.runbooks.model import ARGUMENT_SLOT, FORMAT, Kind, Param, Runbook, Step
from opsconsole.runbooks.parameters import check
from opsconsole.runbooks.undo_lint import lacks_undo

_LOCK_SLOT = re.compile(r"\{([^{}]*)\}")
_VERIFYING = frozenset({Kind.SHELL, Kind.SQL, Kind.HTTP, Kind.PROM, Kind.WAIT, Kind.ACTION})
# Names that change how a shell or a program works, whatever their value is meant for.
_DANGEROUS = re.compile(
    r"PATH|HOME|SHELL|USER|IFS|ENV|BASH\w*|LD_\w+|PYTHON\w*|PERL\w*|RUBY\w*|NODE_\w+|GIT_\w+|PG[A-Z]+|PS[0-9]|SHELLOPTS"
    r"|PROMPT_COMMAND|CDPATH|GLOBIGNORE|OPS_\w+|OPSCONSOLE\w*|TERM|LANG|LC_\w+|TZ|TMPDIR"
)


def lint(
    runbook: Runbook, *, today: date | None = None, find: Find | None = None, chain: tuple[str, ...] = ()
) -> tuple[Problem, ...]:
    """All problems of `runbook`, the parser's included, in the order of the file.

    Plain Markdown without named blocks has next to nothing that could be wrong: it is a checklist.

    Args:
        runbook: as parsed, or with its includes put in; what was put in is not looked at again.
        today: for overdue reviews.
        find: where included runbooks come from; None: its own folder.
        chain: the ids of the runbooks that include this one.
    """
    linter = _Linter(runbook, today or datetime.now(UTC).date(), find, chain)
    linter.look()
    return tuple(sorted({*runbook.problems, *linter.problems}))


def errors(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Those that keep a runbook from running."""
    return tuple(problem for problem in problems if problem.severity == "error")


@dataclass(slots=True)
class _Linter:
    runbook: Runbook
    today: date
    find: Find | None = None
    chain: tuple[str, ...] = ()
    problems: list[Problem] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    names: Names = field(init=False)
    undoing: set[str] = field(default_factory=set)
    _steps: dict[str, Step] = field(default_factory=dict)
    _positions: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        steps = self.runbook.steps
        self.names = Names.of(self.runbook)
        self.undoing = {step.undo for step in steps if step.undo}
        self._positions = {step.name: at for at, step in reversed(list(enumerate(steps)))}
        self._steps = {step.name: step for step in reversed(steps)}

    def look(self) -> None:
        book = self.runbook
        self.lines = re.split("\r\n|\r|\n", book.source.decode("utf-8", errors="replace"))
        self._version()
        if book.review_by and date.fromisoformat(book.review_by) < self.today:
            message = f"its review was due on {book.review_by}"
            self._front("review_by", "review-overdue", message, severity="warning")
        for param in book.params:
            self._param(param)
        for secret in book.secrets:
            self._name(secret, *self._front_position("secrets"))
            if book.param(secret):
                self._front("secrets", "duplicate-name", f"{secret} is a parameter and a secret")
        self._lock()
        for step in book.steps:
            if "name" in step.attributes and not step.scope:
                self._step(step)

    def _version(self) -> None:
        book = self.runbook
        if book.version is not None and book.version != FORMAT:
            message = f"format version {book.version}; this console runs version {FORMAT}"
            self._front("runbook", "format-version", message)
        elif book.version is None and book.executable_steps:
            message = f"blocks with a name, but no 'runbook: {FORMAT}' in the front matter; they are not run"
            self._add(1, 1, "no-version", message)

    # -- parameters ---------------------------------------------------------------------------------------------

    def _param(self, param: Param) -> None:
        line, column = param.line, param.column
        self._name(param.name, line, column)
        if param.type == "enum" and not param.values:
            self._add(line, column, "enum-values", f"{param.name} is an enum without values")
        wrong_pattern = _pattern_fault(param.pattern)
        if wrong_pattern:
            self._add(line, column, "bad-pattern", f"{param.name}: its pattern is {wrong_pattern}")
        elif param.default is not None:
            default = param.default
            wrong = None if param.type == "date" and default in ("today", "yesterday") else check(param, default)
            if wrong:
                self._add(line, column, "bad-default", f"the default of {param.name}: {wrong}")
        if param.required and param.default is not None:
            message = f"{param.name} is required and has a default, so it is never asked for"
            self._add(line, column, "required-default", message, severity="warning")
        if self.runbook.executable_steps and not self._is_used(param.name):
            self._add(line, column, "unused-param", f"no step uses {param.name}", severity="warning")

    def _name(self, name: str, line: int, column: int) -> None:
        if _DANGEROUS.fullmatch(name):
            message = f"{name} would change how the shell or a program works; choose another name"
            self._add(line, column, "dangerous-name", message)

    def _is_used(self, name: str) -> bool:
        word = re.compile(rf"\b{re.escape(name)}\b")
        texts = [self.runbook.lock, *(step.lock for step in self.runbook.steps)]
        for step in self.runbook.steps:
            if step.executable:
                texts += [step.body, step.confirm.text, *(condition.subject for condition in step.when)]
                texts += [value for _, value in step.arguments]
                texts += [step.hosts.host, step.hosts.group] if step.hosts else []
        return any(word.search(text) for text in texts)

    def _lock(self) -> None:
        lock = self.runbook.lock
        for name in _LOCK_SLOT.findall(lock):
            if self.runbook.param(name) is None:
                message = f"lock: no parameter {name!r}{nearest(name, self.names.all)}"
                self._front("lock", "unknown-param", message)
        if re.search(r"[{}]", _LOCK_SLOT.sub("", lock)):
            self._front("lock", "bad-lock", "lock: a brace without its partner; expected text with {NAME} slots")

    # -- steps --------------------------------------------------------------------------------------------------

    def _step(self, step: Step) -> None:
        for fault in kind_faults(step, self._steps):
            self._at(step, fault.attribute, fault.code, fault.message, severity=fault.severity)
        if step.kind is Kind.INCLUDE:
            self.find = self.find or beside(self.runbook)
            for attribute, message in include_faults(step, self.runbook, self.find, self.chain):
                self._at(step, attribute, "include", message)
        self._references(step)
        self._names(step)
        if not step.executable:
            return
        if step.timeout is None and needs_timeout(step):
            self._at(step, "name", "no-timeout", 'no timeout; add for example "timeout":"30s"')
        if "risk" not in step.attributes and wants_risk(step):
            self._at(step, "name", "no-risk", 'no risk; taken for "write"', severity="warning")
        self._risk(step)
        for found in body_findings(step, self.names):
            self._body(step, found)

    def _risk(self, step: Step) -> None:
        if step.risk is Risk.READ:
            return
        if step.risk is Risk.DESTRUCTIVE and step.confirm.mode not in ("type", "approve"):
            message = 'destructive, so it needs "confirm":"type:TEXT" with the name of what it destroys, or approve:N'
            self._at(step, "confirm", "destructive-confirm", message)
        if not step.exclude_from_run_all:
            severity: Severity = "error" if step.risk is Risk.DESTRUCTIVE else "warning"
            message = f'{step.risk}, so add "excludeFromRunAll":"true": other tools would run it unasked'
            self._at(step, "risk", "run-all", message, severity=severity)
        if step.retries and not step.idempotent:
            message = 'retries need "risk":"read" or "idempotent":"true": a second attempt could do it twice'
            self._at(step, "retries", "retries", message)
        if step.expectations.until and not step.background:
            self._at(step, "until", "until", 'until needs "risk":"read": the step is run again and again')
        if not step.verify and step.name not in self.undoing and step.kind is not Kind.ACTION:
            message = "it changes something, and nothing verifies that it worked"
            self._at(step, "name", "no-verify", message, severity="warning")
        if lacks_undo(step, self.runbook):
            message = "it changes something: add an undo, or say in its text why it cannot be undone"
            self._at(step, "name", "no-undo", message, severity="warning")

    def _references(self, step: Step) -> None:
        if step.on_fail == "rollback" and not any(one.undo for one in self.runbook.steps):
            self._at(step, "onFail", "rollback", "onFail: rollback, and no step has an undo")
        for attribute, name in (("verify", step.verify), ("undo", step.undo), ("onFail", _goto(step))):
            if not name:
                continue
            target = self._steps.get(name)
            if target is None:
                message = f"{attribute}: no step {name!r}{nearest(name, self._positions)}"
                self._at(step, attribute, "unknown-step", message)
            elif name == step.name or self._is_cyclic(step, attribute):
                self._at(step, attribute, "cycle", f"{attribute}: {name!r} leads back to this step")
            elif attribute == "verify" and (
                target.risk is not Risk.READ or target.kind not in _VERIFYING or not waited_for(target)
            ):
                self._at(step, "verify", "verify-risk", f'{name!r} has to be a step with "risk":"read" that just ends')
            elif attribute == "onFail" and self._positions[name] <= self._positions[step.name]:
                self._at(step, "onFail", "cycle", f"onFail: {name!r} stands before this step; go forward only")
        for condition in step.when:
            if (
                condition.is_step
                and condition.subject not in self._positions
                and not self._is_put_in(condition.subject)
            ):
                message = f"when: no step {condition.subject!r}{nearest(condition.subject, self._positions)}"
                self._at(step, "when", "unknown-step", message)

    def _is_put_in(self, name: str) -> bool:
        """Whether `name` is an include in whose place there are steps now."""
        return name in self.runbook.scopes

    def _is_cyclic(self, step: Step, attribute: str) -> bool:
        if attribute == "onFail":
            return False
        seen = {step.name}
        name: str = getattr(step, attribute)
        while name:
            if name in seen:
                return True
            seen.add(name)
            following = self._steps.get(name)
            name = getattr(following, attribute) if following else ""
        return False

    def _names(self, step: Step) -> None:
        known = self.names.all
        wanted = [("env", name) for name in step.env or ()]
        wanted += [("lock", found[1] or found[2]) for found in ARGUMENT_SLOT.finditer(step.lock)]
        wanted += [
            ("when", condition.subject) for condition in step.when if not condition.is_step and condition.subject
        ]
        if step.confirm.mode == "type" and re.fullmatch(VARIABLE, step.confirm.text):
            wanted.append(("confirm", step.confirm.text))
        for attribute, name in wanted:
            if name not in known:
                self._at(step, attribute, "unknown-param", f"{attribute}: no parameter {name!r}{nearest(name, known)}")
        for attribute, given in (("host", step.hosts and step.hosts.host), ("hosts", step.hosts and step.hosts.group)):
            name = given[1:] if given and given.startswith("$") else ""
            if name and name not in known:
                self._at(step, attribute, "unknown-param", f"{attribute}: no parameter {name!r}{nearest(name, known)}")
        for name in step.capture:
            self._name(name, *self._attribute_position(step, "capture"))
        if step.sets:
            self._name(step.sets, *self._attribute_position(step, "set"))

    # -- positions ----------------------------------------------------------------------------------------------

    def _body(self, step: Step, found: Finding) -> None:
        line = step.span.first + found.line
        written = self.lines[line - 1] if line <= len(self.lines) else ""
        body = step.body.split("\n")
        indentation = written.find(body[found.line - 1]) if found.line <= len(body) else 0
        self._add(line, found.column + max(0, indentation), found.code, found.message, severity=found.severity)

    def _at(self, step: Step, attribute: str, code: str, message: str, *, severity: Severity = "error") -> None:
        line, column = self._attribute_position(step, attribute)
        self._add(line, column, code, f"{step.name}: {message}", severity=severity)

    def _attribute_position(self, step: Step, attribute: str) -> tuple[int, int]:
        line = step.span.first
        written = self.lines[line - 1] if line <= len(self.lines) else ""
        found = re.search(rf'"{attribute}"|\b{attribute}=', written)
        return line, found.start() + 1 if found else 1

    def _front_position(self, key: str) -> tuple[int, int]:
        for number, line in enumerate(self.lines[:500], start=1):
            if line.startswith((f"{key}:", f'"{key}"', f"{key} =")):
                return number, 1
        return 1, 1

    def _front(self, key: str, code: str, message: str, *, severity: Severity = "error") -> None:
        line, column = self._front_position(key)
        self._add(line, column, code, message, severity=severity)

    def _add(self, line: int, column: int, code: str, message: str, *, severity: Severity = "error") -> None:
        self.problems.append(Problem(self.runbook.path, line, column, severity, code, message))


def _goto(step: Step) -> str:
    kind, _, name = step.on_fail.partition(":")
    return name if kind == "goto" else ""


def _pattern_fault(pattern: str) -> str:
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        return f"no regular expression: {error}"
    return ""


def is_checklist(runbook: Runbook) -> bool:
    """Whether there is nothing in it that the console would do itself."""
    return all(step.kind is Kind.MANUAL for step in runbook.steps)

"""What is wrong with the text of a step: what was meant for people, and what would not do what it seems to."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from opsconsole.actions.action import Risk
from opsconsole.core.clean import clean
from opsconsole.core.problem import Severity, nearest
from opsconsole.runbooks.directives import SHELLS
from opsconsole.runbooks.model import ARGUMENT_SLOT, OPS_VARIABLES, Kind, Param, Runbook, Step

_PLACEHOLDER = re.compile(r"(?<![<\w])<[A-Za-z][\w.-]{0,60}(?: [\w.-]{1,60}){0,5}>")
# `{{.State}}` and `{{range …}}` are Go templates, for docker and kubectl; `{{ name }}` is nobody's
_TEMPLATE = re.compile(r"\{\{ ?[A-Za-z_]\w{0,60}(?:\.\w{1,60}){0,3} ?\}\}|\$\{[A-Za-z_]\w{0,60}\.[\w.]{1,80}\}")
_GO_WORDS = re.compile(r"\{\{ ?(?:end|else|break|continue) ?\}\}")
_SQL_TEMPLATE = re.compile(r"\{\{[^{}\n]{0,200}\}\}|\$\{[^{}\n]{0,200}\}|%\([A-Za-z_]\w{0,60}\)s")
_PROMPT = re.compile(r"[ \t]*\$[ \t]")
_VARIABLE = re.compile(r"(?<!\\)\$(?:\{[#!]?([A-Z][A-Z0-9_]*)|([A-Z][A-Z0-9_]*))")
_ASSIGNED = re.compile(
    r"(?:^|[;&|({`]|\b(?:export|local|readonly|declare|do|then|else|for|read)\b(?:[ \t]+-\w+)*)"
    r"[ \t]*([A-Z][A-Z0-9_]*)\b",
    re.MULTILINE,
)
_BODILESS = frozenset({Kind.ACTION, Kind.INCLUDE, Kind.WAIT})
"""Their body holds arguments or a word for people, or nothing."""
_NO_BREAK_SPACE = re.compile("[\u00a0\u2000-\u200a\u202f\u205f\u3000]")
_INHERITED = frozenset(
    {
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "LANG",
        "TERM",
        "TZ",
        "PWD",
        "OLDPWD",
        "SHELL",
        "SSH_AUTH_SOCK",
        "KUBECONFIG",
        "HOSTNAME",
        "RANDOM",
        "SECONDS",
        "UID",
        "EUID",
        "LINENO",
        "PPID",
        "IFS",
        "OPTARG",
        "OPTIND",
        "REPLY",
        "BASH_VERSION",
        "PIPESTATUS",
        "FUNCNAME",
        "BASH_SOURCE",
    }
)


@dataclass(frozen=True, slots=True)
class Names:
    """What a body may refer to."""

    params: Mapping[str, Param]
    secrets: frozenset[str]
    captured: frozenset[str]

    @classmethod
    def of(cls, runbook: Runbook) -> "Names":
        """The names that `runbook` knows."""
        return cls(
            {param.name: param for param in reversed(runbook.params)},
            frozenset(runbook.secrets),
            frozenset(name for step in runbook.steps for name in (*step.capture, step.sets) if name),
        )

    @property
    def all(self) -> list[str]:
        """All of them."""
        return [*self.params, *sorted(self.secrets), *sorted(self.captured)]

    def is_number(self, name: str) -> bool:
        """Whether it is declared as a whole number, which what is captured under its name has to be, too."""
        param = self.params.get(name)
        return param is not None and param.type == "int"

    def visible(self, step: Step) -> frozenset[str]:
        """What `step` may use: everything, or what its `env` lists; of secrets only what it lists."""
        params = self.params if step.env is None else [name for name in self.params if name in step.env]
        return frozenset({*params, *self.secrets.intersection(step.env or ()), *self.captured, *OPS_VARIABLES})


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding in a body. Line and column count from 1 within it."""

    line: int
    column: int
    code: str
    message: str
    severity: Severity = "error"


def body_findings(step: Step, names: Names) -> Iterator[Finding]:
    """What is wrong with the body of a step that the console carries out."""
    if step.kind in _BODILESS:
        yield from _arguments(step, names)
        return
    if not step.body.strip():
        what = "nothing to ask" if step.kind is Kind.CONFIRM else "nothing to run"
        yield Finding(0, 1, "empty", f"{step.name}: {what}")
        return
    if step.kind is Kind.CONFIRM:
        return
    yield from _for_people(step)
    if step.kind is Kind.SHELL:
        yield from _shell(step, names)
    elif step.kind is Kind.SQL:
        yield from _sql(step, names)
    elif step.kind is Kind.HTTP:
        yield from _http(step, names)
    elif step.kind is Kind.PROM:
        yield from _prom(step, names)


def _for_people(step: Step) -> Iterator[Finding]:
    template = _SQL_TEMPLATE if step.kind is Kind.SQL else _TEMPLATE
    for number, line in enumerate(step.body.split("\n"), start=1):
        for found in _PLACEHOLDER.finditer(line):
            message = f"{found.group()} is a placeholder; declare a parameter and use it"
            yield Finding(number, found.start() + 1, "placeholder", message)
        for found in template.finditer(line):
            if not _GO_WORDS.fullmatch(found.group()):
                message = f"{found.group()} pastes text into a command; parameters come as variables or binds"
                yield Finding(number, found.start() + 1, "template", message)
        if found_prompt := _PROMPT.match(line):
            message = "a '$ ' prompt; leave only what is to be run"
            yield Finding(number, found_prompt.end() - 1, "prompt", message)
        if found_space := _NO_BREAK_SPACE.search(line):
            message = f"an invisible character (U+{ord(found_space.group()):04X}) where a space is meant"
            yield Finding(number, found_space.start() + 1, "invisible", message)
        elif clean(line, limit=len(line) + 1) != line:
            column = next((at for at, char in enumerate(line) if clean(char) != char), 0) + 1
            code = f"U+{ord(line[column - 1]):04X}"
            yield Finding(number, column, "invisible", f"an invisible or control character ({code})")


def _shell(step: Step, names: Names) -> Iterator[Finding]:
    if step.language not in (*SHELLS, "shell", "") and step.attributes.get("kind") == Kind.SHELL:
        yield Finding(
            0, 1, "language", f"{step.name}: kind shell, but {step.language!r} is none of {', '.join(SHELLS)}"
        )
    known = {*names.visible(step), *_INHERITED, *_ASSIGNED.findall(step.body)}
    reported = set()
    for number, line in enumerate(step.body.split("\n"), start=1):
        for found in _VARIABLE.finditer(line):
            name = found[1] or found[2]
            if name in known or name.startswith("OPS_") or name in reported:
                continue
            reported.add(name)
            hint = nearest(name, names.params)
            if name in names.params or name in names.secrets:
                yield Finding(number, found.start() + 1, "unknown-param", f"{name} is not listed in this step's env")
            else:
                message = f"${name} is no parameter{hint or '; set it under env: in the configuration'}"
                yield Finding(number, found.start() + 1, "unknown-variable", message, "warning")


def _sql(step: Step, names: Names) -> Iterator[Finding]:
    from opsconsole.sources import sqltext

    try:
        slots = sqltext.slots(step.body)
        count = len(sqltext.statements(step.body))
        command = sqltext.command_of(step.body)
    except sqltext.SqlTextError as error:
        yield Finding(error.line, error.column, "sql", error.message)
        return
    if count != 1 and not (count and step.txn):
        message = f'{count} statements; a step has one, or "txn":"true"' if count else "only comments; nothing to run"
        yield Finding(1, 1, "sql", f"{step.name}: {message}")
    if step.risk is Risk.READ and command not in sqltext.READING_COMMANDS:
        yield Finding(
            1, 1, "sql-writes", f'{step.name}: "risk":"read", but the statement begins with {command or "?"!r}'
        )
    if not step.conn:
        message = 'no "conn"; it runs on the only database configured, and on none where there are several'
        yield Finding(0, 1, "no-conn", f"{step.name}: {message}", "warning")
    for slot in slots:
        param = names.params.get(slot.name)
        if param is None and slot.name not in names.captured:
            message = f"no parameter {slot.name!r}{nearest(slot.name, names.params)}"
            yield Finding(slot.line, slot.column, "unknown-param", message)
        elif slot.kind == "identifier" and (param is None or not param.values):
            message = f'{slot.name} is used as a name of the database (:"{slot.name}"), so list its "values"'
            yield Finding(slot.line, slot.column, "identifier-list", message)


def _http(step: Step, names: Names) -> Iterator[Finding]:
    from opsconsole.actions.runners.http_request import HttpTextError, parse_request

    try:
        template = parse_request(step.body)
    except HttpTextError as error:
        yield Finding(error.line, error.column, "http", error.message)
        return
    known = names.visible(step)
    for slot in template.slots:
        if slot.name not in known:
            yield Finding(slot.line, slot.column, *_unknown(slot.name, step, names))
    for name, value, line in template.headers:
        if name.lower() == "authorization" and "${" not in value:
            yield Finding(line, 1, "http", "credentials in plain text; declare a secret and use it: ${NAME}")


def _prom(step: Step, names: Names) -> Iterator[Finding]:
    from opsconsole.sources import promqltext

    known = names.visible(step)
    for slot in promqltext.slots(step.body):
        if slot.name in names.secrets:
            yield Finding(
                slot.line, slot.column, "unknown-param", f"{slot.name} is a secret; queries are no place for it"
            )
        elif slot.name not in known:
            yield Finding(slot.line, slot.column, *_unknown(slot.name, step, names))
        elif not slot.place.quote and not names.is_number(slot.name):
            message = (
                f'${slot.name} stands outside of quotes; only an int parameter can. Labels: {{job="${slot.name}"}}'
            )
            yield Finding(slot.line, slot.column, "promql", message)


def _arguments(step: Step, names: Names) -> Iterator[Finding]:
    known = names.visible(step)
    for argument, value in step.arguments:
        line = next((at for at, text in enumerate(step.body.split("\n"), 1) if text.strip().startswith(argument)), 0)
        for found in ARGUMENT_SLOT.finditer(value):
            name = found[1] or found[2]
            if name in names.secrets:
                yield Finding(line, 1, "unknown-param", f"{argument}: {name} is a secret; it would be shown")
            elif name not in known:
                code, message = _unknown(name, step, names)
                yield Finding(line, 1, code, f"{argument}: {message}")


def _unknown(name: str, step: Step, names: Names) -> tuple[str, str]:
    if name in names.params or name in names.secrets:
        return "unknown-param", f"{name} is not listed in this step's env"
    return "unknown-param", f"no parameter {name!r}{nearest(name, names.params)}"

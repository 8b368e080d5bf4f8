"""What a runbook file says, typed and immutable. `parsing` makes these from Markdown; see docs/runbooks.md."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePath
from types import MappingProxyType
from typing import Any, Literal

from opsconsole.actions.action import Risk
from opsconsole.core.problem import Problem

FORMAT = 1
"""The version of the format that this console runs; others stay readable."""


class Kind(StrEnum):
    """What a step is."""

    SHELL = "shell"
    SQL = "sql"
    MANUAL = "manual"
    HTTP = "http"
    PROM = "prom"
    CONFIRM = "confirm"
    CHOICE = "choice"
    WAIT = "wait"
    INCLUDE = "include"
    ACTION = "action"


ARGUMENT_SLOT = re.compile(r"\$(?:\{([A-Z][A-Z0-9_]*)\}|([A-Z][A-Z0-9_]*))")
"""`$NAME` or `${NAME}` in the value of an argument."""
OPS_VARIABLES = ("OPS_ENVIRONMENT", "OPS_RUNBOOK", "OPS_RUN", "OPS_STEP")
"""What every step knows of where it runs."""
ANSWERED = frozenset({Kind.MANUAL, Kind.CHOICE})
"""The kinds that a person answers, and nothing carries out."""
PEACEFUL = frozenset({Kind.PROM, Kind.CONFIRM, Kind.CHOICE, Kind.WAIT, Kind.INCLUDE, Kind.MANUAL})
"""The kinds that change nothing by themselves."""


MADE_HERE = "made by the console"
"""The folder in the path of a runbook that is no file."""


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of the file: whole lines, counted from 1, and the bytes they are."""

    first: int
    last: int
    start: int
    """Offset of the first byte of line `first`."""
    end: int
    """Offset after the last byte of line `last`, its line break included."""


@dataclass(frozen=True, slots=True)
class Confirm:
    """What a step wants before it runs: nothing, a yes, a text typed, or other people's approval."""

    mode: Literal["none", "yes", "type", "approve"]
    text: str = ""
    """For `type`: the name of the parameter whose value is typed, or the text itself."""
    count: int = 0
    """For `approve`: by how many others."""
    approvers: tuple[str, ...] = ()
    """For `approve`: user names and %groups whose approval counts; empty: anybody's but the requester's own."""

    def __str__(self) -> str:
        return {"type": f"type:{self.text}", "approve": f"approve:{self.count}"}.get(self.mode, self.mode)


@dataclass(frozen=True, slots=True)
class Condition:
    """One term of `when`: a parameter or captured value, or (`step:NAME`) how a step ended."""

    subject: str
    is_step: bool
    equal: bool
    value: str
    scope: str = ""
    """The include whose parameters and captured values are meant; empty: the runbook's own."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A demand on a number: `>0`, `<=0.5`, `=1`. NaN meets none."""

    relation: Literal["<", "<=", "=", ">=", ">", "!="]
    number: float

    def holds(self, value: float) -> bool:
        """Whether `value` meets it."""
        match self.relation:
            case "<":
                return value < self.number
            case "<=":
                return value <= self.number
            case "=":
                return value == self.number
            case ">=":
                return value >= self.number
            case ">":
                return value > self.number
            case _:
                return value != self.number and value == value  # NaN is unequal to itself

    def __str__(self) -> str:
        return f"{self.relation}{self.number:g}"


@dataclass(frozen=True, slots=True)
class Count:
    """A demand on the number of rows: `>0`, `=0`, `<10`."""

    relation: Literal["<", "<=", "=", ">=", ">", "!="]
    number: int

    def holds(self, rows: int) -> bool:
        """Whether `rows` meets it."""
        match self.relation:
            case "<":
                return rows < self.number
            case "<=":
                return rows <= self.number
            case "=":
                return rows == self.number
            case ">=":
                return rows >= self.number
            case ">":
                return rows > self.number
            case _:
                return rows != self.number

    def __str__(self) -> str:
        return f"{self.relation}{self.number}"


@dataclass(frozen=True, slots=True)
class Expectations:
    """When a step counts as good, beyond having ended. Patterns are searched for in the output."""

    exits: tuple[int, ...] = (0,)
    rows: Count | None = None
    match: str = ""
    reject: str = ""
    until: str = ""
    """The step is run again, `every` so many seconds, until its output matches this or its time is over."""
    every: float = 2.0
    value: Comparison | None = None
    """PromQL: every sample has to meet it, and there has to be one."""
    until_value: Comparison | None = None
    """PromQL: asked again until every sample meets it."""
    statuses: tuple[str, ...] = ("2xx",)
    """HTTP: codes such as `404`, and classes such as `2xx`, that are good."""


@dataclass(frozen=True, slots=True)
class Hosts:
    """Where a shell step runs, when that is not here."""

    host: str = ""
    """One host, by ssh: a name of the configuration, or `$NAME` for the parameter that holds one."""
    group: str = ""
    """A group of hosts, through Ansible."""
    parallel: int = 1
    """Of a group, how many at once."""
    max_fail: int = 0
    """Of a group, how many may fail before the rest is left alone."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: a block that carries a `name`, or a task-list item."""

    name: str
    """Unique in the runbook; given by the author, or derived from the text of a task-list item."""
    kind: Kind
    title: str
    body: str
    """The exact text that runs, without the fence; for a manual step what has to be done."""
    number: str
    """Position for people: `2.1` is the first step under the second heading that has steps."""
    group: int
    """Index into `Runbook.groups`."""
    span: Span
    prose: str = ""
    """Markdown that stands before the step and belongs to it."""
    language: str = ""
    risk: Risk = Risk.WRITE
    confirm: Confirm = Confirm("yes")
    timeout: float | None = None
    """Seconds for one attempt; None: the author gave none, which the linter reports."""
    retries: int = 0
    retry_delay: float = 5.0
    when: tuple[Condition, ...] = ()
    on_fail: str = ""
    """`stop`, `ask`, `continue`, `rollback`, `goto:NAME`; empty: ask with an operator, stop without."""
    critical: bool = True
    verify: str = ""
    undo: str = ""
    expectations: Expectations = Expectations()
    capture: tuple[str, ...] = ()
    env: tuple[str, ...] | None = None
    """Parameters the step may see; None: all."""
    conn: str = ""
    max_rows: int = 100
    idempotent: bool = False
    exclude_from_run_all: bool = False
    cwd: str = ""
    txn: bool = False
    """SQL: several statements, in one transaction."""
    capture_pattern: str = ""
    """`capture` takes its values from this pattern's groups in the output, rather than from `$OPS_OUT`."""
    hosts: Hosts | None = None
    options: tuple[str, ...] = ()
    """Choice: what can be chosen."""
    sets: str = ""
    """Choice: the name that holds what was chosen."""
    duration: float | None = None
    """Wait: so many seconds."""
    wait_for: str = ""
    """Wait: until this step succeeds."""
    includes: str = ""
    """Include: the id of a runbook."""
    only: tuple[str, ...] = ()
    """Include: these of its steps; empty: its whole walk."""
    action: str = ""
    """Action: the id of a console action."""
    arguments: tuple[tuple[str, str], ...] = ()
    """Action and include: (name, value); `$NAME` in a value stands for a parameter."""
    scope: str = ""
    """The include that this step came with; empty: the runbook's own."""
    lock: str = ""
    """One live step per key, whoever runs it; `$NAME` stands for a value that the step sees."""
    interactive: bool = False
    """Shell: it talks to the operator, who hands his terminal over to it."""
    background: bool = False
    """Shell: it goes on beside the walk, and ends with the run."""
    aside: bool = False
    """No part of the walk; there to verify or to be waited for."""
    attributes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Every attribute as written, unknown ones included."""

    @property
    def executable(self) -> bool:
        """Whether the console does it, rather than the operator."""
        return self.kind not in ANSWERED


@dataclass(frozen=True, slots=True)
class ManualItem:
    """A task-list item as it stands in the file."""

    text: str
    checked: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Group:
    """A heading and what stands under it."""

    title: str
    level: int
    """1 for `#` … 6; 0 for what stands before the first heading."""
    text: str = ""
    """The Markdown under the heading that belongs to no step: all of it, or what follows the last step."""
    line: int = 1


ParamType = Literal["string", "int", "date", "enum", "bool"]
PARAM_TYPES: tuple[ParamType, ...] = ("string", "int", "date", "enum", "bool")


@dataclass(frozen=True, slots=True)
class Param:
    """One declared parameter."""

    name: str
    type: ParamType = "string"
    required: bool = False
    default: str | None = None
    pattern: str = ""
    """The whole value has to match."""
    values: tuple[str, ...] = ()
    """For `enum`; for the others a list of what may be used as an SQL identifier."""
    help: str = ""
    from_label: str = ""
    """The label of an alert or a series that fills it."""
    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class Provenance:
    """Which version of the file this is."""

    sha256: str
    """Of the bytes that were opened: what is executed is this, whatever happens to the file later."""
    commit: str = ""
    """Of the Git work tree around it; empty where there is none."""
    dirty: bool = False
    """Whether the bytes differ from that commit's."""

    def __str__(self) -> str:
        version = f"commit {self.commit[:12]}{' with local changes' if self.dirty else ''}, " if self.commit else ""
        return f"{version}sha256 {self.sha256[:12]}"


@dataclass(frozen=True, slots=True)
class Runbook:
    """One file."""

    id: str
    title: str
    path: str
    provenance: Provenance
    version: int | None = None
    """What the front matter's `runbook:` says; None for plain Markdown."""
    owner: str = ""
    severity: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    review_by: str = ""
    """ISO date."""
    params: tuple[Param, ...] = ()
    secrets: tuple[str, ...] = ()
    lock: str = ""
    """One live run per key; `{NAME}` stands for a parameter's value."""
    groups: tuple[Group, ...] = ()
    steps: tuple[Step, ...] = ()
    items: tuple[ManualItem, ...] = ()
    problems: tuple[Problem, ...] = ()
    """What the parser could not make sense of; the linter adds to it."""
    front: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """The front matter as read, unknown keys included."""
    source: bytes = field(default=b"", repr=False, compare=False)
    scopes: Mapping[str, "Scope"] = field(default_factory=lambda: MappingProxyType({}))
    """The includes whose steps were put in, by name; see `includes.expand`."""

    def step(self, name: str) -> Step | None:
        """The step of that name."""
        return next((step for step in self.steps if step.name == name), None)

    def param(self, name: str) -> Param | None:
        """The parameter of that name."""
        return next((param for param in self.params if param.name == name), None)

    @property
    def made_here(self) -> bool:
        """Whether the console wrote it for one occasion: there is no file that could change or be edited."""
        return PurePath(self.path).parent.name == MADE_HERE

    @property
    def executable_steps(self) -> int:
        """How many steps the console carries out itself."""
        return sum(step.executable for step in self.steps)

    @property
    def route(self) -> tuple[Step, ...]:
        """The steps of a straight walk: all but those that are there to undo another."""
        undoing = {step.undo for step in self.steps if step.undo}
        return tuple(step for step in self.steps if step.name not in undoing and not step.aside)


@dataclass(frozen=True, slots=True)
class Scope:
    """An included runbook: what its steps see."""

    runbook: Runbook
    arguments: tuple[tuple[str, str], ...]
    """Parameter -> text, in which `$NAME` is a value of the parent."""
    parent: str = ""
    """The include that this one stands in; empty: the run's own runbook."""

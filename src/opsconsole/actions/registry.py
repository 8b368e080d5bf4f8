"""The console's own actions by id: `service.restart`, `alert.silence`, … A runbook step of kind `action` names one.

A registration says what the action is called, what it can cost and which arguments it takes; making the action itself
is a function in a module that is imported only then. Each capability adds its registrations here or by `register`.
"""

import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from opsconsole.actions.action import Action, Risk
from opsconsole.config.settings import Environment
from opsconsole.core.clean import clean_line
from opsconsole.core.problem import nearest

Factory = Callable[[Mapping[str, str], Environment], Action]
"""Makes the action from checked arguments. Connects to nothing; ValueError says in words why it cannot be."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of an action."""

    name: str
    help: str
    required: bool = False
    pattern: str = ""
    """A regular expression that the whole value has to match; an empty value of what is not required is left out."""
    asked: bool = True
    """Whether it is for people to say; else the console says it, and no form asks for it."""


@dataclass(frozen=True, slots=True)
class Registration:
    """One kind of action."""

    id: str
    title: str
    risk: Risk
    arguments: tuple[Argument, ...]
    factory: str
    """`module:function`, a `Factory`; imported when it is needed."""
    timeout: float = 60.0
    """Seconds that it is given where nobody says otherwise."""
    at_once: int = 1
    """How many of it may be carried out beside each other, where several were asked for: what its server bears."""

    @property
    def unasked(self) -> frozenset[str]:
        """The arguments that no form asks for."""
        return frozenset(one.name for one in self.arguments if not one.asked)

    def complaints(self, given: Mapping[str, str]) -> list[str]:
        """What is wrong with the arguments `given`, one sentence each."""
        known = {argument.name: argument for argument in self.arguments}
        found = [f"no argument {name!r}{nearest(name, known)}" for name in given if name not in known]
        for argument in self.arguments:
            value = given.get(argument.name, "")
            if not value:
                found += [f"{argument.name} is missing ({argument.help})"] if argument.required else []
            elif "\0" in value or (argument.pattern and not re.fullmatch(argument.pattern, value)):
                found.append(f"{argument.name}: {clean_line(value, limit=60)!r}; expected {argument.help}")
        return found

    def build(self, given: Mapping[str, str], environment: Environment) -> Action:
        """The action with these arguments, in `environment`. Nothing is started and nothing is asked.

        Raises:
            ValueError: an argument is missing or wrong, or the environment lacks what the action needs.
        """
        if complaints := self.complaints(given):
            raise ValueError(f"{self.id}: {'; '.join(complaints)}")
        module, _, function = self.factory.partition(":")
        factory: Factory = getattr(importlib.import_module(module), function)
        return factory({name: value for name, value in given.items() if value}, environment)


_REGISTERED: dict[str, Registration] = {}


def register(*registrations: Registration) -> None:
    """Make actions known.

    Raises:
        ValueError: an id is taken by another one.
    """
    for one in registrations:
        if _REGISTERED.setdefault(one.id, one) != one:
            raise ValueError(f"an action {one.id} is registered already")


def find(action_id: str) -> Registration | None:
    """The registration of that id."""
    return _REGISTERED.get(action_id)


def known() -> tuple[Registration, ...]:
    """All of them, by id."""
    return tuple(_REGISTERED[name] for name in sorted(_REGISTERED))


_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}"
_SERVICE = Argument("service", "the name of a service in services.yaml", required=True, pattern=_NAME)
_INSTANCE = Argument("instance", "one instance of it; empty for all", pattern=r"[A-Za-z0-9][A-Za-z0-9.:_@-]{0,99}")
_LABEL = r"[a-zA-Z_][a-zA-Z0-9_]{0,199}"
_PID = Argument("pid", "the process id of a session", required=True, pattern=r"[1-9][0-9]{0,9}")
_STARTED = Argument(
    "backend_start",
    "backend_start of that session, as pg_stat_activity has it: tells it from a later one with the same pid",
    required=True,
    pattern=r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9:.]{5,20}([+-][0-9:]{2,9}|Z)?",
)
_SCHEMA = Argument("schema", "a schema's name, as it is, without quotes", required=True, pattern=r"(?s).{1,63}")
_TABLE = Argument("table", "the table's name, as it is, without quotes", required=True, pattern=r"(?s).{1,63}")
_INDEX = Argument("index", "the index's name, as it is, without quotes", required=True, pattern=r"(?s).{1,63}")
_HOURS = 6 * 3600.0
"""Seconds for work on a whole table; what was done until then is done."""
_CONN = Argument("conn", "the database: a name under postgres: in the configuration", pattern=_NAME)

register(
    *(
        Registration(
            f"service.{verb}", f"{verb} a service", risk, (_SERVICE, _INSTANCE), f"opsconsole.actions.service:{verb}"
        )
        for verb, risk in (
            ("status", Risk.READ),
            ("logs", Risk.READ),
            ("start", Risk.WRITE),
            ("restart", Risk.WRITE),
            ("stop", Risk.DESTRUCTIVE),
        )
    ),
    Registration(
        "postgres.cancel",
        "cancel what a session is doing",
        Risk.WRITE,
        (_PID, _STARTED, _CONN),
        "opsconsole.actions.postgres_session:cancel",
    ),
    Registration(
        "postgres.terminate",
        "end a session",
        Risk.DESTRUCTIVE,
        (_PID, _STARTED, _CONN),
        "opsconsole.actions.postgres_session:terminate",
    ),
    Registration(
        "postgres.vacuum",
        "vacuum a table",
        Risk.WRITE,
        (
            _SCHEMA,
            _TABLE,
            _CONN,
            Argument("mode", "plain, full (rewrites it, locked) or freeze", pattern="plain|full|freeze"),
            Argument("analyze", "yes or no", pattern="yes|no"),
        ),
        "opsconsole.database.actions.maintenance:vacuum",
        _HOURS,
    ),
    Registration(
        "postgres.analyze",
        "analyze a table",
        Risk.WRITE,
        (_SCHEMA, _TABLE, _CONN),
        "opsconsole.database.actions.maintenance:analyze",
        _HOURS,
    ),
    Registration(
        "postgres.reindex",
        "rebuild an index, while the table is read and written",
        Risk.WRITE,
        (_SCHEMA, _INDEX, _CONN),
        "opsconsole.database.actions.indexing:reindex",
        _HOURS,
    ),
    Registration(
        "postgres.create-index",
        "build an index, while the table is read and written",
        Risk.WRITE,
        (
            _SCHEMA,
            _TABLE,
            _INDEX,
            Argument(
                "columns", 'its columns, quoted: "a", "b"', required=True, pattern=r'(?s)"([^"]|"")+"(, "([^"]|"")+")*'
            ),
            _CONN,
        ),
        "opsconsole.database.actions.indexing:create",
        _HOURS,
    ),
    Registration(
        "postgres.drop-index",
        "drop an index that nothing needs",
        Risk.DESTRUCTIVE,
        (_SCHEMA, _INDEX, _CONN),
        "opsconsole.database.actions.indexing:drop",
        _HOURS,
    ),
    Registration(
        "postgres.drop-leftover",
        "drop what a rebuild of an index left",
        Risk.WRITE,
        (_SCHEMA, _INDEX, _CONN),
        "opsconsole.database.actions.indexing:drop_leftover",
        _HOURS,
    ),
    Registration(
        "postgres.create-extension",
        "create an extension",
        Risk.WRITE,
        (Argument("extension", "its name", required=True, pattern=r"[A-Za-z0-9_-]{1,63}"), _CONN),
        "opsconsole.database.actions.options:create_extension",
    ),
    Registration(
        "postgres.reset-statements",
        "let the counters of statements begin anew",
        Risk.WRITE,
        (_CONN,),
        "opsconsole.database.actions.options:reset_statements",
    ),
    Registration(
        "postgres.autovacuum",
        "set a table's autovacuum parameters",
        Risk.WRITE,
        (
            _SCHEMA,
            _TABLE,
            Argument("scale_factor", "share of the rows, 0 to 1, such as 0.02", pattern=r"0(\.[0-9]{1,6})?|1"),
            Argument("threshold", "rows, such as 1000", pattern=r"[0-9]{1,9}"),
            _CONN,
        ),
        "opsconsole.database.actions.options:autovacuum",
    ),
)

_ALERTMANAGER = Argument(
    "alertmanager", "alertmanager, or alertmanager/NAME; the only one where none is given",
    pattern=r"alertmanager(/[A-Za-z0-9_][A-Za-z0-9_.-]{0,99})?",
)  # fmt: skip
_MATCHERS = Argument(
    "matchers", 'which alerts, such as alertname="ApiDown", job=~"api.*"', pattern=r"[^\x00-\x1f]{1,20000}"
)
_FOR = r"[0-9][0-9.a-z]{1,20}"
_COMMENT = r"[^\x00-\x08\x0b-\x1f]{1,1000}"
_SILENCE = Argument("id", "the id of the silence", required=True, pattern=r"[0-9a-fA-F-]{8,64}", asked=False)

register(
    Registration(
        "alert.silence",
        "keep alerts back for a while",
        Risk.WRITE,
        (
            _MATCHERS,
            Argument("alertname", "instead of matchers: the alert's name", pattern=r"[^\x00-\x1f]{1,200}"),
            Argument(
                "label", "with alertname: one more label, as NAME=VALUE", pattern=_LABEL + r"=[^\x00-\x1f]{0,500}"
            ),
            Argument("duration", "for how long, such as 30m or 2h", required=True, pattern=_FOR),
            Argument("comment", "why", required=True, pattern=_COMMENT),
            _ALERTMANAGER,
        ),
        "opsconsole.alerts.actions.silencing:silence",
    ),
    Registration(
        "alert.edit-silence",
        "change a silence",
        Risk.WRITE,
        (
            _SILENCE,
            _MATCHERS,
            Argument("duration", "for how long from now, such as 30m or 2h", pattern=_FOR),
            Argument("comment", "why", pattern=_COMMENT),
            Argument(
                "seen", "what it was when it was looked at; refused where it is another one by now",
                pattern=r"[^\x00-\x08\x0b-\x1f]{1,50000}", asked=False,
            ),
            _ALERTMANAGER,
        ),
        "opsconsole.alerts.actions.silencing:edit",
    ),
    Registration(
        "alert.unsilence",
        "end a silence now",
        Risk.WRITE,
        (_SILENCE, _ALERTMANAGER),
        "opsconsole.alerts.actions.silencing:unsilence",
    ),
    Registration(
        "alert.test",
        "send a test alert, and see who is told",
        Risk.WRITE,
        (
            Argument(
                "labels", 'what it is like, such as alertname="ApiDown", severity="critical"',
                pattern=r"[^\x00-\x1f]{1,20000}",
            ),
            Argument("every", "yes: one for each receiver that these labels do not lead to, too", pattern="yes|no"),
            Argument("wait", "how long to wait for each at most, beyond group_wait (60s)", pattern=_FOR),
            _ALERTMANAGER,
        ),
        "opsconsole.alerts.actions.trying:test",
        timeout=600.0,
    ),
)  # fmt: skip

_DAG = Argument("dag", "a DAG's id", required=True, pattern=r"[\w.-]{1,250}")
_RUN = Argument("run", "the id of a run; the newest where none is given", pattern=r"[^\x00-\x1f]{1,250}")
_TASK = r"[\w.-]{1,250}(\[[0-9]{1,9}\])?"
_TASKS = Argument(
    "tasks", "task ids, with commas between; one of a mapped task as load[3]; all where none is given",
    pattern=rf"{_TASK}( *, *{_TASK})*",
)  # fmt: skip
_YES_NO = "yes|no"
_RUNS_AT_ONCE = 5
"""Changes of Airflow: each takes a worker of its API server for some requests, and then one look a second."""
_WAIT = Argument("wait", "for what: started (as a rule), or ended", pattern="started|ended")
_CONF = Argument("conf", "its configuration, a JSON object", pattern=r"(?s)\s*\{.*\}\s*")
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"

register(
    Registration(
        "airflow.trigger",
        "start a run of a DAG",
        Risk.WRITE,
        (_DAG, _CONF, Argument("run", "the id that the run is to have", pattern=r"[A-Za-z0-9_.~:+-]{1,250}"), _WAIT),
        "opsconsole.pipelines.actions.triggering:trigger",
        at_once=_RUNS_AT_ONCE,
    ),
    Registration(
        "airflow.retry",
        "run the failed tasks of a run again",
        Risk.WRITE,
        (_DAG, _RUN, _TASKS, _WAIT),
        "opsconsole.pipelines.actions.clearing:retry",
        at_once=_RUNS_AT_ONCE,
    ),
    Registration(
        "airflow.clear",
        "run tasks of a run again, whatever their state",
        Risk.WRITE,
        (
            _DAG,
            _RUN,
            _TASKS,
            Argument("only_failed", "yes or no: only those of them that failed", pattern=_YES_NO),
            Argument("downstream", "yes or no: and those that follow", pattern=_YES_NO),
            Argument("upstream", "yes or no: and those before", pattern=_YES_NO),
            _WAIT,
        ),
        "opsconsole.pipelines.actions.clearing:clear",
        at_once=_RUNS_AT_ONCE,
    ),
    Registration(
        "airflow.mark",
        "call a run or a task a success, failed or skipped",
        Risk.WRITE,
        (
            _DAG,
            _RUN,
            Argument("task", "a task's id; the run itself where none is given", pattern=_TASK),
            Argument("state", "success, failed, or skipped (tasks)", required=True, pattern="success|failed|skipped"),
        ),
        "opsconsole.pipelines.actions.marking:mark",
        at_once=_RUNS_AT_ONCE,
    ),
    Registration(
        "airflow.pause",
        "let no runs of a DAG begin",
        Risk.WRITE,
        (_DAG,),
        "opsconsole.pipelines.actions.marking:pause",
        at_once=_RUNS_AT_ONCE,
    ),
    Registration(
        "airflow.unpause",
        "let runs of a DAG begin again",
        Risk.WRITE,
        (_DAG,),
        "opsconsole.pipelines.actions.marking:unpause",
        at_once=_RUNS_AT_ONCE,
    ),
    Registration(
        "airflow.backfill",
        "run a DAG for a span of days that has passed",
        Risk.WRITE,
        (
            _DAG,
            Argument("from", "the first day, such as 2026-11-21", required=True, pattern=_DAY),
            Argument("to", "the last day", required=True, pattern=_DAY),
            Argument(
                "reprocess",
                "what about runs that are there: none (as a rule), failed, completed",
                pattern="none|failed|completed",
            ),
            Argument("at_once", "how many runs at once (3)", pattern="[1-9][0-9]?"),
            _CONF,
            _WAIT,
        ),
        "opsconsole.pipelines.actions.triggering:backfill",
        at_once=_RUNS_AT_ONCE,
    ),
)

"""The plan of a statement: asked for, run where that was confirmed, kept, and read again."""

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from opsconsole.actions.action import Action, Risk
from opsconsole.actions.runners.explain import ExplainRunner
from opsconsole.config.settings import PostgresSettings
from opsconsole.core.clean import clean, clean_line
from opsconsole.database.plan import Plan, PlanError, plan_from, plan_of
from opsconsole.sources.sqltext import parameters

FORMAT = 1
_LARGEST = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Explained:
    """A statement with its plan."""

    sql: str
    plan: Plan
    document: Any
    """The server's own JSON."""
    database: str = ""
    taken_at: float = 0.0
    """Unix seconds; 0 where it is not known."""
    generic: bool = False
    """It is the plan that holds for any value of `$1`."""


async def read_plan(settings: PostgresSettings, sql: str, *, timeout: float = 30.0) -> Explained:
    """The plan of `sql`, which is not run.

    Raises:
        SourceError: it is refused, or the server cannot do it.
        PlanError: the server answers with what is no plan.
    """
    text = await ExplainRunner(settings, sql, timeout=timeout).read()
    return explained(sql, text, settings.name)


def analyze_action(settings: PostgresSettings, sql: str, *, timeout: float = 30.0) -> Action:
    """Running `sql` to see where its time goes; its output is the plan as JSON.

    It asks for a yes in any mode: what a function does outside the database no rollback takes back.
    """
    runner = ExplainRunner(settings, sql, analyze=True, timeout=timeout)
    opening = "begin read only" if runner.reads else "begin"
    return Action(
        id="postgres.explain-analyze",
        title="run a statement for its plan, and roll it back",
        command=f"-- on {settings.name}\n{opening};\nexplain (analyze, …) {sql.strip()};\nrollback;",
        target=settings.name,
        risk=Risk.WRITE,
        runner=runner,
        timeout=timeout + 10.0,
        undo="rolled back by itself; sequences, and what functions do outside the database, are not",
        confirm="yes",
        details=(("database", settings.name), ("read_only", str(runner.reads).lower())),
    )


def explained(sql: str, text: str, database: str) -> Explained:
    """From what the server answered just now.

    Raises:
        PlanError: that is no plan.
    """
    return Explained(_shown(sql), plan_of(text), json.loads(text), database, time.time(), parameters(sql) > 0)


def saved(one: Explained) -> dict[str, Any]:
    """As it is kept in a file: format 1."""
    at = datetime.fromtimestamp(one.taken_at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "format": FORMAT,
        "kind": "plan",
        "database": one.database,
        "taken_at": at,
        "sql": one.sql,
        "generic": one.generic,
        "plan": one.document,
    }


def load_plan(path: Path) -> Explained:
    """The plan in a file: one that was saved, what EXPLAIN (FORMAT JSON) answered, or what auto_explain logged.

    Raises:
        PlanError: there is none; the message names the file.
    """
    name = clean_line(path)
    try:
        if path.stat().st_size > _LARGEST:
            raise PlanError(f"larger than {_LARGEST // 1024**2} MiB")
        document = json.loads(path.read_bytes())
        ours = isinstance(document, dict) and document.get("kind") == "plan"
        if ours and document.get("format") != FORMAT:
            raise PlanError(f"format {clean_line(document.get('format'))}, and {FORMAT} is known here")
        inner = document.get("plan") if ours else document
        about = document if ours else {}
        return Explained(
            _shown(about.get("sql", "")),
            plan_from(inner),
            inner,
            clean_line(about.get("database", "")),
            generic=about.get("generic") is True,
        )
    except OSError as error:
        raise PlanError(f"{name}: {error.strerror}") from None
    except RecursionError:
        raise PlanError(f"{name}: nested too deep") from None
    except ValueError as error:
        raise PlanError(f"{name}: {error if isinstance(error, PlanError) else 'no JSON'}") from None


def _shown(sql: object) -> str:
    """Whole: half a statement is none."""
    return clean(sql, limit=_LARGEST)

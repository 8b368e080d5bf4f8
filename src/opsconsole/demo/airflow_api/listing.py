"""Lists: their filters, their order, their pages.

A list is a SELECT of `sql/api/`, which ends with a condition, and what may be added to it: nothing of a request becomes
SQL text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opsconsole.demo.airflow_api.bodies import Check, Wrong, boolean, choice, moment, text, whole
from opsconsole.demo.airflow_api.refusal import Refusal
from opsconsole.demo.simulation.metadata import Database
from opsconsole.demo.statements import statement

Query = Mapping[str, Sequence[str]]
"""The parameters of a request; one may be there several times."""
MOST = 100
"""Entries of a page, whatever was asked for."""
USUAL = 50
RUN_STATES = ("queued", "running", "success", "failed")
TASK_STATES = (
    "removed", "scheduled", "queued", "running", "success", "restarting", "failed", "up_for_retry", "up_for_reschedule",
    "upstream_failed", "skipped", "deferred", "awaiting_input",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Filter:
    """A parameter that restricts a list."""

    condition: str
    """SQL with one bind, the parameter's name."""
    check: Check = text
    many: bool = False
    """All its values are bound, as an array."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One list."""

    select: str
    """Its file."""
    key: str
    """What orders it at last, and where nothing else is asked for."""
    order: Mapping[str, str]
    filters: Mapping[str, Filter]


def states(name: str, column: str, known: Sequence[str]) -> dict[str, Filter]:
    """The filter by state, several of them allowed."""

    def check(value: Any, place: object) -> str | None:
        if value in ("none", "None", "null"):
            return None
        if value not in known:
            raise Refusal(422, f"Invalid value for state. Valid values are {', '.join(known)}")
        return str(value)

    condition = (
        f"({column} = any(%({name})s::text[]) or ({column} is null and array_position(%({name})s::text[], null) > 0))"
    )
    return {name: Filter(condition, check, many=True)}


def ranges(**columns: str) -> dict[str, Filter]:
    """The filters NAME_gte, NAME_gt, NAME_lte, NAME_lt."""
    signs = {"gte": ">=", "gt": ">", "lte": "<=", "lt": "<"}
    return {
        f"{name}_{suffix}": Filter(f"{column} {sign} %({name}_{suffix})s::timestamptz", moment)
        for name, column in columns.items()
        for suffix, sign in signs.items()
    }


def pattern(name: str, column: str) -> dict[str, Filter]:
    """The filter by a part of a name, with % and _ as in SQL, or a single ~ for all."""

    def check(value: Any, place: object) -> str:
        return "%" if value == "~" else f"%{value}%"

    return {name: Filter(f"{column} ilike %({name})s::text", check)}


def words(name: str, condition: str) -> dict[str, Filter]:
    """A filter by any of several words."""
    return {name: Filter(condition, text, many=True)}


DAGS = Listing(
    "api/dags",
    "d.dag_id",
    {
        "dag_id": "d.dag_id",
        "dag_display_name": "d.dag_display_name",
        "next_dagrun": "d.next_dagrun",
        "last_run_state": "last.state",
        "last_run_start_date": "last.start_date",
    },
    {
        "paused": Filter("d.is_paused = %(paused)s::boolean", boolean),
        **words("tags", "exists (select from dag_tag t where t.dag_id = d.dag_id and t.name = any(%(tags)s::text[]))"),
        **words("owners", "d.owners = any(%(owners)s::text[])"),
        **pattern("dag_id_pattern", "d.dag_id"),
        **pattern("dag_display_name_pattern", "d.dag_display_name"),
        "last_dag_run_state": Filter("last.state = %(last_dag_run_state)s::text", choice(*RUN_STATES)),
        "has_import_errors": Filter("d.has_import_errors = %(has_import_errors)s::boolean", boolean),
    },
)
RUNS = Listing(
    "api/dag_runs",
    "r.id",
    {
        "id": "r.id",
        "state": "r.state",
        "dag_id": "r.dag_id",
        "run_id": "r.run_id",
        "dag_run_id": "r.run_id",
        "logical_date": "r.logical_date",
        "run_after": "r.run_after",
        "start_date": "r.start_date",
        "end_date": "r.end_date",
        "updated_at": "r.updated_at",
        "conf": "r.conf",
        "duration": "r.end_date - r.start_date",
    },
    {
        **states("state", "r.state", RUN_STATES),
        **words("run_type", "r.run_type = any(%(run_type)s::text[])"),
        **pattern("run_id_pattern", "r.run_id"),
        **pattern("triggering_user_name_pattern", "r.triggering_user_name"),
        **ranges(
            run_after="r.run_after",
            logical_date="r.logical_date",
            start_date="r.start_date",
            end_date="r.end_date",
            updated_at="r.updated_at",
        ),
    },
)
TASK_INSTANCES = Listing(
    "api/task_instances",
    "t.id",
    {
        "id": "t.id",
        "state": "t.state",
        "duration": "t.duration",
        "start_date": "t.start_date",
        "end_date": "t.end_date",
        "map_index": "t.map_index",
        "try_number": "t.try_number",
        "logical_date": "r.logical_date",
        "run_after": "r.run_after",
        "data_interval_start": "r.data_interval_start",
        "data_interval_end": "r.data_interval_end",
        "operator": "t.operator",
        "run_id": "t.run_id",
        "task_id": "t.task_id",
        "dag_id": "t.dag_id",
    },
    {
        **states("state", "t.state", TASK_STATES),
        **words("task_id", "t.task_id = any(%(task_id)s::text[])"),
        **pattern("task_display_name_pattern", "t.task_display_name"),
        **pattern("dag_id_pattern", "t.dag_id"),
        **pattern("run_id_pattern", "t.run_id"),
        **words("pool", "t.pool = any(%(pool)s::text[])"),
        **words("queue", "t.queue = any(%(queue)s::text[])"),
        **words("executor", "t.executor = any(%(executor)s::text[])"),
        **words("operator", "t.operator = any(%(operator)s::text[])"),
        **ranges(
            run_after="r.run_after",
            logical_date="r.logical_date",
            start_date="t.start_date",
            end_date="t.end_date",
            updated_at="t.updated_at",
        ),
    },
)
POOLS = Listing(
    "api/pools", "p.id", {"id": "p.id", "name": "p.pool", "pool": "p.pool"}, pattern("pool_name_pattern", "p.pool")
)
IMPORT_ERRORS = Listing(
    "api/import_errors",
    "e.id",
    {
        "id": "e.id",
        "import_error_id": "e.id",
        "timestamp": "e.timestamp",
        "filename": "e.filename",
        "bundle_name": "e.bundle_name",
        "stacktrace": "e.stacktrace",
    },
    pattern("filename_pattern", "e.filename"),
)
JOBS = Listing(
    "api/jobs",
    "j.id",
    {
        "id": "j.id",
        "state": "j.state",
        "job_type": "j.job_type",
        "start_date": "j.start_date",
        "end_date": "j.end_date",
        "latest_heartbeat": "j.latest_heartbeat",
        "hostname": "j.hostname",
    },
    {
        "is_alive": Filter(
            "(j.state = 'running' and j.latest_heartbeat > now() - interval '30 s') = %(is_alive)s::boolean", boolean
        ),
        "job_state": Filter("j.state = %(job_state)s::text"),
        "job_type": Filter("j.job_type = %(job_type)s::text"),
        "hostname": Filter("j.hostname = %(hostname)s::text"),
        **ranges(start_date="j.start_date", end_date="j.end_date"),
    },
)
EVENT_LOGS = Listing(
    "api/event_logs",
    "l.id",
    {
        "id": "l.id",
        "event_log_id": "l.id",
        "dttm": "l.dttm",
        "when": "l.dttm",
        "dag_id": "l.dag_id",
        "task_id": "l.task_id",
        "run_id": "l.run_id",
        "event": "l.event",
        "logical_date": "l.logical_date",
        "owner": "l.owner",
        "extra": "l.extra",
    },
    {
        "dag_id": Filter("l.dag_id = %(dag_id)s::text"),
        "task_id": Filter("l.task_id = %(task_id)s::text"),
        "run_id": Filter("l.run_id = %(run_id)s::text"),
        "owner": Filter("l.owner = %(owner)s::text"),
        "event": Filter("l.event = %(event)s::text"),
        "before": Filter("l.dttm <= %(before)s::timestamptz", moment),
        "after": Filter("l.dttm >= %(after)s::timestamptz", moment),
    },
)
ASSETS = Listing(
    "api/assets",
    "a.id",
    {"id": "a.id", "name": "a.name", "uri": "a.uri", "created_at": "a.created_at", "updated_at": "a.updated_at"},
    {**pattern("name_pattern", "a.name"), **pattern("uri_pattern", "a.uri")},
)
BACKFILLS = Listing("api/backfills", "b.id", {"id": "b.id"}, {})


async def page(
    database: Database, listing: Listing, query: Query, binds: Mapping[str, Any] | None = None
) -> tuple[list[dict[str, Any]], int]:
    """The rows of the page that `query` asks for, and how many there are on all pages. `binds` are those of the file.

    Raises:
        Refusal: 422 or 400, a parameter is wrong.
    """
    limit, offset = _number(query, "limit", USUAL), _number(query, "offset", 0)
    conditions, bound = _restricted(listing, query)
    told = {**(binds or {}), **bound}
    matching = "\n".join([statement(listing.select), *(f"and {one}" for one in conditions)])
    counted = await database.rows(f"select count(*) from (\n{matching}\n) as matching", told)  # noqa: S608
    ordered = f"{matching}\norder by {_ordered(listing, query)}\nlimit %(limit)s offset %(offset)s"
    rows = await database.records(ordered, {**told, "limit": min(limit, MOST), "offset": offset})
    return rows, int(counted[0][0])


def _number(query: Query, name: str, usual: int) -> int:
    try:
        return whole(query[name][-1], ("query", name)) if name in query else usual
    except Wrong as error:
        raise Refusal(422, [error.entry]) from None


def _restricted(listing: Listing, query: Query) -> tuple[list[str], dict[str, Any]]:
    """The conditions that `query` adds, and their binds."""
    conditions, binds, problems = [], {}, []
    for name, one in listing.filters.items():
        if name not in query:
            continue
        try:
            values = [one.check(value, ("query", name)) for value in query[name]]
        except Wrong as error:
            problems.append(error.entry)
            continue
        conditions.append(one.condition)
        binds[name] = values if one.many else values[-1]
    if problems:
        raise Refusal(422, problems)
    return conditions, binds


def _ordered(listing: Listing, query: Query) -> str:
    """The order that `query` asks for; at last by the key, so that pages do not overlap."""
    asked = query.get("order_by", [])
    for name in asked:
        if name.lstrip("-") not in listing.order:
            detail = f"Ordering with '{name.lstrip('-')}' is disallowed or the attribute does not exist on the model"
            raise Refusal(400, detail)
    # Null is the largest either way, as in PostgreSQL.
    columns = [listing.order[name.lstrip("-")] + (" desc" if name.startswith("-") else "") for name in asked]
    return ", ".join([*columns, listing.key + (" desc" if asked and asked[0].startswith("-") else "")])

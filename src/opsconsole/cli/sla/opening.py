"""Asking about the SLAs of an environment, and their fields in JSON."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from opsconsole.cli.output import narrate, rfc3339

if TYPE_CHECKING:
    from opsconsole.sla.airflow_measured import RunsMeasured
    from opsconsole.sla.asking import Slas, Survey
    from opsconsole.sla.standing import Burn, Standing
    from opsconsole.sla.violations import Violation


def ask(args: argparse.Namespace, read: "Callable[[Slas], Awaitable[Survey]]") -> "Survey":
    """What `read` makes of the SLAs of the environment that `args` name. Connects for that, and hangs up.

    Raises:
        UsageError: nothing is promised there, or not what was asked about.
    """
    from opsconsole.cli.wiring import UsageError, environment_of, open_sources
    from opsconsole.sla.asking import open_slas

    environment = environment_of(args)
    sources = open_sources(environment)

    async def asked() -> "Survey":
        try:
            try:
                slas = open_slas(environment, sources)
                for name in args.slas:
                    slas.one(name)
            except ValueError as error:
                raise UsageError(str(error)) from None
            return await read(slas.only(args.slas) if args.slas else slas)
        finally:
            await sources.close()

    return asyncio.run(asked())


def narrate_survey(survey: "Survey") -> None:
    """What has to be known about a table, on stderr."""
    for note in survey.notes:
        narrate(f"note: {note}")
    for one in survey.standings:
        for note in (*one.notes, *([one.error] if one.error else [])):
            narrate(f"note: {one.sla.name}: {note}")


def standing_fields(one: "Standing") -> dict[str, Any]:
    """One SLA as JSON has it."""
    sla, sums = one.sla, one.tally
    return {
        "name": sla.name,
        "title": sla.label,
        "kind": sla.kind,
        "source": sla.source,
        "state": one.state,
        "why": one.because or None,
        "objective": sla.objective,
        "target": sla.target or None,
        "window": sla.window,
        "period": {"title": one.period.title, "start": rfc3339(one.period.start), "end": rfc3339(one.period.end)},
        "sli": one.sli,
        "met": one.met,
        "bad": sums.bad,
        "total": sums.total,
        "pending": one.pending,
        "coverage": sums.coverage,
        "budget_left": one.budget_left,
        "exhausted_in": one.exhausted_in,
        "burn": [_burn_fields(burn) for burn in one.burns],
        "trend": [{"from": rfc3339(at), "sli": sli} for at, sli in one.trend],
        "before": None
        if one.before is None
        else {"sli": one.before.sli, "change": one.change, "violations": len(one.violations_before)},
        "violations": [_violation_fields(found) for found in one.violations],
        "mttr": one.mttr,
        "shares": [{"of": dict(told.of), "bad": told.bad, "share": told.share} for told in one.shares],
        "excluded": [
            {"name": pause.name, "why": pause.why or None, "start": rfc3339(pause.start), "end": rfc3339(pause.end)}
            for pause in one.excluded
        ],
        "owner": sla.owner or None,
        "runbook": sla.runbook or None,
        "error": one.error or None,
        "measured": None if one.measured is None else _measured_fields(one.measured),
        "notes": list(one.notes),
    }


def _measured_fields(measured: "RunsMeasured") -> dict[str, Any]:
    return {"failed": measured.failed, "succeeded": measured.succeeded, "dags": list(measured.of)}


def _burn_fields(burn: "Burn") -> dict[str, Any]:
    window = burn.window
    return {
        "severity": window.severity,
        "long": window.long,
        "short": window.short,
        "factor": window.factor,
        "burn_long": burn.long,
        "burn_short": burn.short,
        "burning": burn.burning,
        "possible": burn.possible,
    }


def _violation_fields(found: "Violation") -> dict[str, Any]:
    return {
        "start": rfc3339(found.start),
        "end": rfc3339(found.end),
        "seconds": found.seconds,
        "bad": found.bad,
        "total": found.total,
        "spent": found.spent,
        "grain": found.grain,
        "subject": found.subject or None,
    }

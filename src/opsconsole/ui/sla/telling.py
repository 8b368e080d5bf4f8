"""All there is to say about one SLA: figures, burn windows, violations, days, what is excluded, how it is counted."""

from datetime import UTC, datetime

from opsconsole.core.clean import clean, clean_line
from opsconsole.core.duration import age_text, duration_text
from opsconsole.sla.shares import subjects
from opsconsole.sla.standing import Burn, Standing
from opsconsole.sla.violations import Violation
from opsconsole.sla.wording import budget_text, burn_text, change_text, moment_text, share_text, spent_text, target_text
from opsconsole.ui.pages.page import Detail

_MOST = 30
"""Violations that are listed."""


def detail_of(one: Standing) -> Detail:
    """The detail of an SLA."""
    parts = (
        ("burn rates", _burns(one)),
        ("whose what was bad is", _shares(one)),
        ("violations", _violations(one)),
        ("excluded as maintenance", _excluded(one)),
        ("days", _days(one)),
        ("how it is counted", _counting(one)),
        ("note", "\n".join((*([one.error] if one.error else []), *one.notes))),
    )
    return Detail(
        f"SLA {clean_line(one.sla.label)}",
        tuple((name, clean_line(value)) for name, value in _facts(one) if value),
        tuple((heading, clean(text)) for heading, text in parts if text),
    )


def _facts(one: Standing) -> list[tuple[str, str]]:
    sla, sums = one.sla, one.tally
    target = target_text(sla.kind, sla.target)
    unit = "runs" if sla.dag else "minutes of series" if sla.promql and sla.promql.value else "counted"
    before = (
        ""
        if one.before is None
        else f"{share_text(one.before.sli)} in the period before ({change_text(one.change)} points)"
    )
    return [
        ("state", f"{one.state.value}  {one.why}".rstrip()),
        ("meanwhile", "" if one.measured is None else f"{one.measured.words}; whether in time, metrics do not tell"),
        ("promised", f"{share_text(sla.objective)} {target}".strip()),
        ("good", f"{share_text(one.sli)} of {sums.total:,.0f} {unit}, {sums.bad:,.0f} bad" if sums.seconds > 0 else ""),
        ("before", before),
        ("window", f"{one.period.title}, from {moment_text(one.period.start)}"),
        ("budget left", budget_text(one.budget_left) if sums.seconds > 0 else ""),
        (
            "spent in",
            "" if one.exhausted_in is None else f"{duration_text(one.exhausted_in)}, at the rate of the last hour",
        ),
        ("known", "" if sums.coverage is None else f"{budget_text(sums.coverage)} of the time"),
        ("pending", f"{one.pending} runs go on, and are neither good nor bad yet" if one.pending else ""),
        ("mean time to recovery", "" if one.mttr is None else duration_text(one.mttr)),
        ("kind", f"{sla.kind}, from {sla.source}"),
        ("owner", sla.owner),
        ("runbook", sla.runbook),
    ]


def _shares(one: Standing) -> str:
    rows = zip(one.shares, subjects(one.shares), strict=True)
    return "\n".join(f"{told.share * 100:>3.0f} % {told.bad:>9,.0f} bad  {of}" for told, of in rows)


def _burns(one: Standing) -> str:
    return "\n".join(_burn_line(burn) for burn in one.burns)


def _burn_line(burn: Burn) -> str:
    window = burn.window
    mark = "BURNING" if burn.burning else "can never fire: everything bad is not enough" if not burn.possible else ""
    long = f"{burn_text(burn.long):>6} over {age_text(window.long):<3}"
    short = f"{burn_text(burn.short):>6} over {age_text(window.short):<4}"
    return f"{window.severity:<7}{long} {short} told above {window.factor:.3g}×  {mark}".rstrip()


def _violations(one: Standing) -> str:
    lines = [_violation_line(found) for found in reversed(one.violations)]
    more = [f"and {len(lines) - _MOST} earlier ones"] if len(lines) > _MOST else []
    none = "none that took 0.5 % of the budget" if one.tally.seconds > 0 else "not known"
    return "\n".join((*lines[:_MOST], *more)) or none


def _violation_line(found: Violation) -> str:
    lasted = "goes on" if found.seconds is None else duration_text(found.seconds)
    grain = f" (± {age_text(found.grain)})" if found.grain > 60 and found.seconds is not None else ""
    subject = f"  {found.subject}" if found.subject else ""
    cost = f"{share_text(found.bad_share):>8} bad  {spent_text(found.spent):>6} of the budget"
    return f"{moment_text(found.start)}  {lasted + grain:<18} {cost}{subject}"


def _excluded(one: Standing) -> str:
    return "\n".join(
        f"{moment_text(pause.start)}  {duration_text(pause.end - pause.start):<9} {pause.name}  {pause.why}".rstrip()
        for pause in one.excluded
    )


def _days(one: Standing) -> str:
    days = [f"{datetime.fromtimestamp(at, UTC):%m-%d} {share_text(sli):>9}" for at, sli in one.trend]
    return "\n".join("   ".join(days[at : at + 5]) for at in range(0, len(days), 5))


def _counting(one: Standing) -> str:
    sla = one.sla
    if sla.sql is not None:
        return sla.sql.query
    if sla.promql is None:
        return f"runs of {sla.dag}, from when they could begin to their end"
    from opsconsole.sla.expressions import counts_of

    counts = counts_of(sla)
    assert counts is not None
    name, text = ("bad", counts.bad_text) if counts.bad_text else ("good", counts.good_text)
    return f"{name}: {text}\ntotal: {counts.total_text}"

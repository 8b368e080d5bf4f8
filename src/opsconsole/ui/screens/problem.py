"""The last error of a pane, in full: what failed, since when, what was asked, and what is still known."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from opsconsole.core.clean import clean, clean_line
from opsconsole.core.duration import duration_text
from opsconsole.ui.lines import Line, Span, line, state_role
from opsconsole.ui.screens.text import Page, paragraphs

if TYPE_CHECKING:
    from opsconsole.core.reading import Query
    from opsconsole.screens.checks import Check
    from opsconsole.screens.evaluation import PaneState


def problem_page(state: "PaneState", queries: "Sequence[Query]", now: float) -> Page:
    """Everything there is to say of why a pane is as it is."""

    def page(width: int) -> tuple[Line, ...]:
        lines: list[Line] = [(), line(" ", Span(state.state.value, state_role(state.state)), f"  {_summary(state)}")]
        for name, value in _facts(state, now):
            lines.append(line(Span(f" {name:<18}", "dim"), value))
        if state.error:
            lines += [(), line(Span(" what the source said", "heading"))]
            lines += [line(" ", *one) for one in paragraphs(clean(state.error), width - 2, "error")]
        for warning in state.warnings:
            lines += [line(" ", *one) for one in paragraphs(clean(warning), width - 2, "warn")]
        for query in queries:
            lines += [(), line(Span(f" asked of {clean(query.source)}", "heading"))]
            lines += [line(" ", *one) for one in paragraphs(clean(query.text), width - 2)]
            lines += [line(Span(f"   :'{clean(name)}' = {clean(value)}", "dim")) for name, value in query.binds]
        return tuple(lines)

    return page


def check_page(check: "Check", now: float) -> Page:
    """Everything there is to say of one check."""

    def page(width: int) -> tuple[Line, ...]:
        lines: list[Line] = [
            (),
            line(" ", Span(check.state.value, state_role(check.state)), f"  {clean_line(check.title)}"),
            (),
            *(line(" ", *one) for one in paragraphs(clean(check.text), width - 2)),
            (),
        ]
        facts = [("source", clean_line(check.source)), ("screen", clean_line(check.screen))]
        if check.since is not None:
            facts.append(("in this state", f"for {duration_text(max(0.0, now - check.since))}"))
        if check.taken_at is not None:
            facts.append(
                ("value taken", f"{_moment(check.taken_at)}, {duration_text(max(0.0, now - check.taken_at))} ago")
            )
        facts += [(clean_line(name), clean_line(value)) for name, value in sorted(check.labels.items())]
        lines += [line(Span(f" {name:<18}", "dim"), value) for name, value in facts]
        if check.error:
            lines += [(), line(Span(" what the source said", "heading"))]
            lines += [line(" ", *one) for one in paragraphs(clean(check.error), width - 2, "error")]
        return tuple(lines)

    return page


def _summary(state: "PaneState") -> str:
    if state.error:
        return "there is no fresh value"
    if state.waiting:
        return "no answer yet"
    return "no error: the latest reading is good" if not state.empty else "the query answers with nothing"


def _facts(state: "PaneState", now: float) -> list[tuple[str, str]]:
    facts: list[tuple[str, str]] = [("source", clean(state.source))]
    if state.failing_since is not None:
        facts.append(
            ("failing for", f"{duration_text(max(0.0, now - state.failing_since))}, {_moment(state.failing_since)}")
        )
    if state.retry_at is not None:
        facts.append(("next attempt in", duration_text(max(0.0, state.retry_at - now))))
    if state.taken_at is not None:
        facts.append(
            ("last good value", f"{_moment(state.taken_at)}, {duration_text(max(0.0, now - state.taken_at))} ago")
        )
    if state.took:
        facts.append(("answered in", duration_text(state.took)))
    return facts


def _moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"

"""One step of a runbook in full: what stands before it, exactly what runs, and everything said about it."""

from opsconsole.core.clean import clean, clean_line
from opsconsole.runbooks.model import Step
from opsconsole.ui.lines import Line, Span, line
from opsconsole.ui.run_page import RISK_ROLES
from opsconsole.ui.screens.text import Page, paragraphs, prose_lines


def step_page(step: Step, command: str) -> Page:
    """The page for `step`; `command` is the exact text that would run."""

    def page(width: int) -> tuple[Line, ...]:
        title = Span(f" {step.number}  {clean_line(step.title or step.name)}", "title")
        lines: list[Line] = [(), line(title, "   ", Span(step.risk.value.upper(), RISK_ROLES[step.risk])), ()]
        lines += [line(" ", *one) for one in prose_lines(step.prose, width - 2)]
        if step.executable:
            lines += [(), line(Span(" exactly this runs", "heading"))]
            lines += [line("   ", text.expandtabs(4)) for text in clean(command).splitlines()]
        else:
            lines += [line(" ", *one) for one in paragraphs(clean(step.body), width - 2)]
        lines += [(), line(Span(" attributes", "heading"))]
        lines += [
            line(Span(f"   {clean_line(name):<20}", "dim"), clean_line(value))
            for name, value in step.attributes.items()
        ]
        return tuple(lines)

    return page

"""A statement's plan as a page, and what became of it since it was looked at before: an index is proved here."""

from opsconsole.core.clean import clean
from opsconsole.core.duration import age_text
from opsconsole.database.explain import Explained
from opsconsole.database.plan import Plan
from opsconsole.database.plan_costs import plan_lines
from opsconsole.database.plan_diff import diff, diff_lines
from opsconsole.ui.pages.page import Detail


def plan_detail(found: Explained, text: str, before: tuple[float, Plan] | None, now: float) -> Detail:
    """The plan of the statement `text`.

    Args:
        before: when it was explained last (Unix seconds), and its plan then.
        now: Unix seconds.
    """
    kind = "generic plan: the one that holds for any value" if found.generic else "plan"
    parts = [(kind, clean("\n".join(plan_lines(found.plan))))]
    if before is not None:
        asked, plan = before
        parts.insert(
            0, (f"since {age_text(max(0.0, now - asked))} ago", clean("\n".join(diff_lines(diff(plan, found.plan)))))
        )
    parts.append(("statement", clean(text.strip())))
    return Detail("Plan, not run", parts=tuple(parts))

"""Whether a step that changes something says how it is taken back: by a step of its own, or in words why it is not."""

import re

from opsconsole.actions.action import Risk
from opsconsole.runbooks.model import Runbook, Step

_SAID = re.compile(r"\bun(do|does|doing|done)\b|\birreversibl[ey]\b", re.IGNORECASE)


def lacks_undo(step: Step, runbook: Runbook) -> bool:
    """Whether `step` changes something, has no `undo`, is none itself, and no text says why.

    The text is what stands above it under the same heading, and the introduction of the runbook.
    """
    if step.risk is Risk.READ or step.undo or any(one.undo == step.name for one in runbook.steps):
        return False
    return not _SAID.search(_text_above(step, runbook))


def _text_above(step: Step, runbook: Runbook) -> str:
    first = next((at for at, group in enumerate(runbook.groups) if group.level > 1), len(runbook.groups))
    introduction = [group.text for group in runbook.groups[:first]]
    above = [
        one.prose
        for one in runbook.steps
        if one.group < first or (one.group == step.group and one.span.first <= step.span.first)
    ]
    return "\n".join([*introduction, *above, runbook.groups[step.group].text])

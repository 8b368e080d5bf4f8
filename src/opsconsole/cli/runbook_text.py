"""A runbook as text for people and as a document for programs."""

from opsconsole.runbooks.model import Kind, Runbook, Step


def runbook_text(runbook: Runbook) -> str:
    """All of it: what it is for, its parameters, and its steps with their text."""
    lines = [runbook.title, "=" * len(runbook.title), ""]
    facts = {
        "id": runbook.id,
        "file": runbook.path,
        "owner": runbook.owner,
        "severity": ", ".join(runbook.severity),
        "alerts": ", ".join(runbook.alerts),
        "review by": runbook.review_by,
        "lock": runbook.lock,
        "secrets": ", ".join(runbook.secrets),
    }
    lines += [f"{name:10} {value}" for name, value in facts.items() if value]
    if runbook.params:
        lines += ["", "Parameters"]
        for param in runbook.params:
            notes = [param.type, "required" if param.required else "", param.help]
            notes += [f"default {param.default}"] if param.default is not None else []
            notes += [f"one of {', '.join(param.values)}"] if param.values else []
            notes += [f"from label {param.from_label}"] if param.from_label else []
            lines.append(f"  {param.name:16} {'; '.join(note for note in notes if note)}")
    by_group: dict[int, list[Step]] = {}
    for step in runbook.steps:
        by_group.setdefault(step.group, []).append(step)
    for at, group in enumerate(runbook.groups):
        steps = by_group.get(at, [])
        if not steps and not group.text:
            continue
        if group.title:
            lines += ["", group.title, "-" * len(group.title)]
        for step in steps:
            lines += ["", *_step_lines(step)]
        if group.text:
            lines += ["", group.text]
    return "\n".join(lines)


def _step_lines(step: Step) -> list[str]:
    lines = [step.prose, ""] if step.prose else []
    if step.kind is Kind.CHOICE:
        lines.append(f"{step.number} {step.name}: {step.title}  (choice: {', '.join(step.options)}; sets {step.sets})")
        return [*lines, *(f"    {line}" for line in step.body.split("\n"))]
    if not step.executable:
        return [*lines, f"{step.number} [ ] {step.body}"]
    wants = {"none": "", "yes": "asks", "type": f"asks for {step.confirm.text}"}.get(step.confirm.mode, "")
    wants = wants or (f"approved by {step.confirm.count} others" if step.confirm.mode == "approve" else "")
    timeout = step.attributes.get("timeout", "")
    facts = [str(step.kind), str(step.risk), wants, f"timeout {timeout}" if timeout else "", step.conn]
    facts += [f"verified by {step.verify}"] if step.verify else []
    facts += [f"undone by {step.undo}"] if step.undo else []
    lines.append(f"{step.number} {step.name}: {step.title}  ({', '.join(fact for fact in facts if fact)})")
    return [*lines, *(f"    {line}" for line in step.body.split("\n"))]


def runbook_document(runbook: Runbook) -> dict[str, object]:
    """The same for programs."""
    return {
        "id": runbook.id,
        "title": runbook.title,
        "path": runbook.path,
        "owner": runbook.owner,
        "severity": runbook.severity,
        "alerts": runbook.alerts,
        "review_by": runbook.review_by or None,
        "sha256": runbook.provenance.sha256,
        "params": [
            {
                "name": param.name,
                "type": param.type,
                "required": param.required,
                "default": param.default,
                "pattern": param.pattern,
                "values": param.values,
                "help": param.help,
                "from_label": param.from_label,
            }
            for param in runbook.params
        ],
        "secrets": runbook.secrets,
        "steps": [_step_document(step, runbook) for step in runbook.steps],
    }


def _step_document(step: Step, runbook: Runbook) -> dict[str, object]:
    return {
        "name": step.name,
        "title": step.title,
        "number": step.number,
        "group": runbook.groups[step.group].title,
        "kind": step.kind,
        "risk": step.risk,
        "confirm": str(step.confirm),
        "timeout": step.timeout,
        "verify": step.verify,
        "undo": step.undo,
        "prose": step.prose,
        "body": step.body,
        "line": step.span.first,
    }

"""`runbook approvals` and `runbook approve`: what waits for a second person, and saying yes to it."""

import argparse
import sys
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from opsconsole.cli import wiring
from opsconsole.cli.output import narrate, print_json, print_table, print_text, rfc3339
from opsconsole.core.clean import clean
from opsconsole.core.exit_codes import Exit

if TYPE_CHECKING:
    from opsconsole.actions.approval import Approvals, Request
    from opsconsole.actions.guard import Context
    from opsconsole.config.settings import Environment, Settings


def add_approve_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `runbook approve`."""
    parser.add_argument("run", metavar="RUN", help="the run or the runbook, as `runbook approvals` lists it")
    parser.add_argument("step", metavar="STEP", help="the step's name")
    parser.add_argument("--yes", action="store_true", help="approve without being asked")


def show(args: argparse.Namespace) -> int:
    """List what waits."""
    from opsconsole.actions.guard import user_name

    settings = wiring.resolve_settings(args)
    requests = [one for one in _approvals(wiring.pick_environment(settings, args)).pending() if one.missing]
    if args.format == "json":
        print_json([_fields(one) for one in requests])
        return Exit.DONE
    rows = [
        (
            one.run or "-",
            one.subject.runbook,
            one.subject.step,
            user_name(one.subject.requester),
            rfc3339(one.at),
            f"{len(one.approved_by)} of {one.subject.count}",
            one.subject.command.split("\n")[-1],
        )
        for one in requests
    ]
    print_table(("RUN", "RUNBOOK", "STEP", "BY", "SINCE", "APPROVED", "COMMAND"), rows)
    return Exit.DONE


def approve(args: argparse.Namespace) -> int:
    """Show what is asked for, and approve it. Exit code 5 where this user may not; that is recorded, too."""
    from opsconsole.actions.approval import ApprovalError
    from opsconsole.config.settings import Role

    settings = wiring.resolve_settings(args)
    environment = wiring.pick_environment(settings, args)
    approvals = _approvals(environment)
    request = _chosen(approvals, args.run, args.step)
    print_text(_described(request))
    context = wiring.acting_context(settings, environment, args)
    if context.role is not Role.VIEWER and not args.yes and not _asked():
        return Exit.DECLINED

    def act() -> tuple[str, str]:
        if context.role is Role.VIEWER:
            return "refused", f"{context.actor} is a viewer here, and viewers approve nothing"
        try:
            approvals.approve(request)
        except ApprovalError as error:
            return "refused", str(error)
        return "ok", ""

    outcome, why = _recorded(settings, environment, context, request, act)
    if outcome != "ok":
        narrate(f"opsconsole: {why}")
        return Exit.GUARDED if context.role is Role.VIEWER else Exit.UNAPPROVED
    narrate(f"approved; it counts for {approvals.expire / 60:g} minutes, and for nothing but this")
    return Exit.DONE


def _asked() -> bool:
    if not sys.stdin.isatty():
        raise wiring.UsageError("approving needs a terminal to ask on; without one: --yes")
    print("approve exactly this? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _approvals(environment: "Environment") -> "Approvals":
    from opsconsole.actions.approval import Approvals

    return Approvals.at(environment.approvals.folder, environment.approvals.expire)


def _chosen(approvals: "Approvals", run: str, step: str) -> "Request":
    found = [one for one in approvals.pending() if run in (one.run, one.subject.runbook) and one.subject.step == step]
    if not found:
        raise wiring.UsageError(
            f"nothing waits for approval under {run} {step}; `opsconsole runbook approvals` lists it"
        )
    open_ones = [one for one in found if one.missing] or found
    if len({one.subject.digest for one in open_ones}) > 1 and run != open_ones[0].run:
        runs = ", ".join(one.run or one.subject.digest[:12] for one in open_ones)
        raise wiring.UsageError(f"several requests wait for {step} of {run}: {runs}; name the run")
    return open_ones[0]


def _described(request: "Request") -> str:
    from opsconsole.actions.guard import user_name

    subject = request.subject
    facts = {
        "step": f"{subject.step} of {subject.runbook}",
        "environment": subject.environment,
        "requested by": user_name(subject.requester),
        "run": request.run,
        "version": f"commit {subject.commit[:12]}, sha256 {subject.sha256[:12]}" if subject.commit else subject.sha256,
        "approved by": ", ".join(request.approved_by),
    }
    lines = [f"{name:13} {value}" for name, value in facts.items() if value]
    lines += [f"  {name} = {value}" for name, value in subject.values.items() if value]
    return clean("\n".join([*lines, "", *(f"    {line}" for line in subject.command.split("\n"))]), limit=1_000_000)


def _fields(request: "Request") -> dict[str, object]:
    from opsconsole.actions.guard import user_name

    subject = request.subject
    return {
        "run": request.run or None,
        "runbook": subject.runbook,
        "step": subject.step,
        "environment": subject.environment,
        "requested_by": user_name(subject.requester),
        "requested_at": rfc3339(request.at),
        "count": subject.count,
        "approvers": subject.approvers,
        "approved_by": request.approved_by,
        "digest": subject.digest,
        "command": subject.command,
    }


def _recorded(
    settings: "Settings",
    environment: "Environment",
    context: "Context",
    request: "Request",
    act: Callable[[], tuple[str, str]],
) -> tuple[str, str]:
    """What `act` says, (outcome, why), with the attempt in the audit journal before and its end after.

    Raises:
        JournalError: it cannot be recorded; then nothing is approved.
    """
    from opsconsole.store.entry import Conclusion, Intent

    journal, attempt = wiring.open_journal(settings), uuid.uuid4().hex
    subject = request.subject
    journal.begin(
        Intent(
            attempt=attempt,
            at=time.time(),
            actor=context.actor,
            host=context.host,
            environment=environment.name,
            action="runbook.approve",
            title=f"approve {subject.step} of {subject.runbook}",
            target=f"{subject.runbook}/{subject.step}",
            risk="write",
            command=subject.command,
            run=request.run,
            details={"digest": subject.digest, "login": context.login, "requester": str(subject.requester)},
        )
    )
    outcome, why = act()
    journal.conclude(Conclusion(attempt, time.time(), outcome, detail=why))
    return outcome, why

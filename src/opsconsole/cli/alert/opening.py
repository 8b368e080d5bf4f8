"""Asking for the alerts of an environment, and what the verbs of `alert` print of them."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from opsconsole.alerts.asking import Alerts
    from opsconsole.alerts.filtering import Term
    from opsconsole.alerts.model import Alert, Survey
    from opsconsole.alerts.routing import Notification

T = TypeVar("T")


def add_common(parser: argparse.ArgumentParser) -> None:
    """The argument that every verb takes."""
    parser.add_argument("--format", choices=("table", "json"), default="table", help="how to print it")


def ask(args: argparse.Namespace, read: "Callable[[Alerts], Awaitable[T]]") -> T:
    """What `read` makes of the alerts of the environment that `args` name. Connects for that, and hangs up.

    Raises:
        UsageError: nothing is configured that could know any.
    """
    from opsconsole.alerts.asking import open_alerts
    from opsconsole.cli.wiring import UsageError, environment_of, open_sources

    environment = environment_of(args)
    sources = open_sources(environment)

    async def asked() -> T:
        try:
            try:
                alerts = open_alerts(environment, sources)
            except ValueError as error:
                raise UsageError(str(error)) from None
            return await read(alerts)
        finally:
            await sources.close()

    return asyncio.run(asked())


def terms_of(given: Sequence[str]) -> "tuple[Term, ...]":
    """The filter that the words of a command line are.

    Raises:
        UsageError: they are none.
    """
    from opsconsole.alerts.filtering import parse_filter
    from opsconsole.cli.wiring import UsageError

    try:
        return parse_filter(" ".join(given))
    except ValueError as error:
        raise UsageError(f"filter: {error}") from None


def alert_fields(alert: "Alert", survey: "Survey") -> dict[str, Any]:
    """One alert as JSON has it."""
    from opsconsole.alerts.wording import age
    from opsconsole.cli.db.printing import fields_of

    silences = [survey.silences[one] for one in alert.silenced_by if one in survey.silences]
    fields = fields_of(alert)
    del fields["escalation"], fields["key"]  # nobody escalates yet; the labels say what it is
    return {
        **fields,
        "age_seconds": age(alert, survey.taken_at),
        "missing_in": list(alert.missing_in),
        "notifies": [notification_fields(one) for one in alert.notifies],
        "silences": [
            {**fields_of(one), "matchers": [str(given) for given in one.matchers], "acknowledges": one.acknowledges}
            for one in silences
        ],
    }


def notification_fields(one: "Notification") -> dict[str, Any]:
    """Who is notified, as JSON has it."""
    from opsconsole.cli.db.printing import fields_of

    return {**fields_of(one), "reaches": one.reaches}


def narrate_all(notes: Iterable[str]) -> None:
    """Each note on a line of stderr."""
    from opsconsole.cli.output import narrate

    for note in notes:
        narrate(f"note: {note}")

"""What has to be known of a change before it is shown: which tasks would be cleared, as Airflow's own dry run says."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from opsconsole.core.clean import clean_line
from opsconsole.core.reading import SourceError
from opsconsole.pipelines.asking import Airflow
from opsconsole.runbooks.repair import Repair

CLEARING = {"airflow.clear": False, "airflow.retry": True}
"""Action -> whether it clears only what failed."""
_NAMED = 12
"""Tasks that are named; of the others it is said how many."""


async def foreseen(airflow: Airflow, repairs: Sequence[Repair]) -> list[Repair]:
    """The repairs, each that clears with its run named and with what would be cleared; others as they are.

    Raises:
        ValueError: it is one, and would do nothing.
        SourceError: Airflow refuses, or does not answer.
    """
    found = await asyncio.gather(*(_foreseen(airflow, one) for one in repairs))
    if len(found) == 1 and found[0][1] == 0:
        raise ValueError(f"{found[0][0].why}: nothing would be run again")
    return [repair for repair, _ in found]


async def _foreseen(airflow: Airflow, repair: Repair) -> tuple[Repair, int | None]:
    if repair.action not in CLEARING:
        return repair, None
    from opsconsole.pipelines.actions.change import Refused
    from opsconsole.pipelines.actions.clearing import Wish, preview

    if airflow.api is None:
        raise SourceError("airflow", "unsupported", "no API is configured: without it nothing can be changed")
    try:
        wish = Wish.of(repair.arguments, retry=CLEARING[repair.action])
        run_id, titles = await preview(airflow.api, wish)
    except Refused as error:
        raise ValueError(str(error)) from None
    # The run is named from here on: a newer one that begins meanwhile is not meant.
    arguments = {**repair.arguments, "run": run_id}
    why = "; ".join(text for text in (repair.why, _said(titles)) if text)
    return replace(repair, arguments=arguments, why=why), len(titles)


def _said(titles: Sequence[str]) -> str:
    if not titles:
        return "Airflow's dry run clears nothing"
    more = f" and {len(titles) - _NAMED} more" if len(titles) > _NAMED else ""
    named = ", ".join(clean_line(one, limit=80) for one in titles[:_NAMED])
    return f"Airflow's dry run clears {len(titles)}: {named}{more}"

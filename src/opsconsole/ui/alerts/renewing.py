"""A change of a silence begun anew, after somebody else changed or ended it: what was entered, on what it is by now."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from opsconsole.alerts.actions.meanwhile import changed, read_seen
from opsconsole.alerts.asking import Alerts
from opsconsole.alerts.model import Silence, Survey
from opsconsole.runbooks.repair import Repair
from opsconsole.ui.alerts.choosing import changing, making

_ENTERED = ("matchers", "duration", "comment")


def renewable(repair: Repair, source: Alerts) -> Repair:
    """`repair`, which can be begun anew where it changes a silence."""
    return replace(repair, renew=partial(_renewed, source, repair)) if "seen" in repair.arguments else repair


async def _renewed(source: Alerts, opened: Repair, entered: Repair) -> tuple[Repair, str]:
    """(what was `entered`, on the silence as it is now; what somebody else did to it). Where nothing was entered, what
    it is now stands.

    Raises:
        ValueError: the Alertmanager does not answer.
    """
    source.forget()
    survey = await source.survey()
    silence = _found(opened.arguments, survey)
    own = {name: value for name in _ENTERED if (value := entered.given.get(name, "")) != opened.given.get(name, "")}
    seen = read_seen(opened.arguments["seen"])
    where = {name: opened.arguments[name] for name in ("alertmanager",) if opened.given.get(name)}
    if silence is None or silence.state == "expired":
        given = {"matchers": seen["matchers"], "comment": seen["comment"], **where, **_kept(entered), **own}
        said = changed(seen, silence) if silence is not None else "it is not known any more"
        return renewable(making(given, survey), source), f"{said}. This makes a new one."
    fresh = changing(silence, survey, where)
    given = {**{name: value for name, value in fresh.arguments.items() if name in opened.arguments}, **own}
    why = fresh.foresee(given) if fresh.foresee is not None else fresh.why
    again = replace(fresh, arguments=given, title=opened.title, why=why)
    return renewable(again, source), changed(seen, silence) or "nobody changed it meanwhile"


def _kept(entered: Repair) -> dict[str, str]:
    return {name: value for name, value in entered.given.items() if name in _ENTERED}


def _found(arguments: Mapping[str, str], survey: Survey) -> Silence | None:
    wanted = arguments.get("alertmanager", "")
    for side in survey.sides:
        if wanted in ("", side.name):
            if side.error:
                raise ValueError(side.error)
            return next((one for one in side.silences if one.id == arguments["id"]), None)
    return None

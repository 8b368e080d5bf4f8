"""What can be done about alerts and silences, as choices that become runs of one step."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from opsconsole.alerts.actions.meanwhile import seen_text
from opsconsole.alerts.keeping import mine
from opsconsole.alerts.matching import Matcher, all_hold, exactly, parse_matchers
from opsconsole.alerts.model import Alert, Silence, Survey
from opsconsole.alerts.planning import having, to_tell
from opsconsole.core.clean import clean_line
from opsconsole.core.duration import parse_duration
from opsconsole.runbooks.repair import Repair
from opsconsole.ui.pages.page import Choice

ACK_FOR = "15m"
SILENCE_FOR = "2h"
LONGER = ("1h", "8h", "1d")
_MOST_DAYS = 30
_EDIT = "alert.edit-silence"
_NAMED = 3
"""Alerts that a preview names."""


def alert_choices(alert: Alert, survey: Survey) -> list[Choice]:
    """Say that somebody is on it, keep it back, or end what keeps it back."""
    found = _keeping_back(alert.sent_labels, alert.name, survey, [alert])
    for identity in alert.silenced_by:
        silence = survey.silences.get(identity)
        if silence is not None:
            found += [one for one in silence_choices(silence, survey) if not one.label.startswith("edit")]
    return found


def group_choices(matchers: Mapping[str, str], alerts: Sequence[Alert], survey: Survey) -> list[Choice]:
    """The same for all that have these labels (empty: that lack one); nothing where they have none in common."""
    if not any(matchers.values()):
        return []
    return _keeping_back(
        matchers, " ".join(f"{name}={value or '-'}" for name, value in matchers.items()), survey, alerts
    )


def silence_choices(silence: Silence, survey: Survey) -> list[Choice]:
    """Let it last longer, change it, end it."""
    if silence.state == "expired":
        given = {
            "matchers": _text(silence.matchers), "duration": SILENCE_FOR, "comment": silence.comment or "again",
        }  # fmt: skip
        return [
            Choice(f"silence again{suffix}", making({**given, **where}, survey))
            for suffix, where in _places(_having(silence, survey), survey)
        ]
    name = clean_line(_text(silence.matchers), limit=80)
    held = [one for one in survey.alerts if silence.id in one.silenced_by]
    why = preview(held, "it keeps back now")
    found: list[Choice] = []
    for suffix, where in _places(_having(silence, survey), survey):
        given = {"id": silence.id, **where}
        seen = {**given, "seen": seen_text(silence)}
        offered = [
            # What is said is from now on: one that lasts longer anyhow would be cut short.
            *((f"until {longer} from now", _EDIT, {**seen, "duration": longer}, f"Until {longer} from now: {name}")
              for longer in LONGER if parse_duration(longer) > _left(silence, survey)),
            ("end silence", "alert.unsilence", given, f"End the silence of {name}"),
        ]  # fmt: skip
        repairs = [(label, Repair(action, to, title, why, foresee=_foreseeing(survey, why)))
                   for label, action, to, title in offered]  # fmt: skip
        repairs.insert(-1, ("edit", changing(silence, survey, where)))
        found += [Choice(f"{label}{suffix}", repair) for label, repair in repairs]
    return found


def changing(silence: Silence, survey: Survey, where: Mapping[str, str]) -> Repair:
    """A change of all that can be changed of a silence, as it is now; `where` names its Alertmanager."""
    given = {
        "id": silence.id, **where, "seen": seen_text(silence), "matchers": _text(silence.matchers),
        "duration": _minutes(_left(silence, survey)), "comment": silence.comment,
    }  # fmt: skip
    why = preview((one for one in survey.alerts if silence.id in one.silenced_by), "it keeps back now")
    title = f"Change the silence of {clean_line(_text(silence.matchers), limit=80)}"
    return Repair(_EDIT, given, title, why, foresee=_foreseeing(survey, why))


def making(given: Mapping[str, str], survey: Survey) -> Repair:
    """A new silence like one that is over."""
    foresee = _foreseeing(survey)
    return Repair("alert.silence", given, f"Silence {given['matchers']} again", foresee(given), foresee=foresee)


def new_silences(text: str, survey: Survey) -> list[Repair]:
    """A silence of the matchers in `text`, one for each Alertmanager that has to be told.

    Raises:
        ValueError: they are none, or fit every alert.
    """
    matchers = parse_matchers(text)
    if not matchers:
        raise ValueError('expected matchers such as alertname="ApiDown", job=~"api.*"')
    if all(one.holds({}) for one in matchers):
        raise ValueError("these fit every alert; expected one that an alert without labels does not fulfil")
    given = {"matchers": _text(matchers), "duration": SILENCE_FOR, "comment": "silenced from the console"}
    foresee = _foreseeing(survey)
    return [
        Repair(
            "alert.silence", {**given, **where}, f"Silence {given['matchers']}{suffix}", foresee(given), foresee=foresee
        )
        for suffix, where in _places([side.name for side in survey.sides], survey)
    ]


def preview(alerts: Iterable[Alert], words: str) -> str:
    """`it matches 3 alerts of now: ApiDown (active), …`."""
    found = list(alerts)
    if not found:
        return f"{words}: no alert"
    named = ", ".join(f"{clean_line(one.name, limit=60)} ({one.state})" for one in found[:_NAMED])
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return f"{words}: {len(found)} alert{'' if len(found) == 1 else 's'}: {named}{more}"


def _foreseeing(survey: Survey, before: str = "") -> Callable[[Mapping[str, str]], str]:
    """What a silence with other arguments would match; `before` is what there is to say of the one that is changed."""

    def foresee(arguments: Mapping[str, str]) -> str:
        if "matchers" not in arguments:
            return before
        matchers = parse_matchers(arguments["matchers"])
        held = [one for one in survey.alerts if all_hold(matchers, one.sent_labels)]
        return "; ".join(
            part for part in (before, preview(held, "with this it would match" if before else "it matches now")) if part
        )

    return foresee


def _keeping_back(labels: Mapping[str, str], name: str, survey: Survey, alerts: Sequence[Alert]) -> list[Choice]:
    matchers = tuple(exactly(label, value) for label, value in sorted(labels.items()))
    text, shown = _text(matchers), clean_line(name, limit=80)
    held = [one for one in survey.alerts if all_hold(matchers, one.sent_labels)]
    why = preview(held, "it matches now")
    where_to = {given for one in alerts for given in having(one)}
    found: list[Choice] = []
    for suffix, where in _places([side.name for side in survey.sides if side.name in where_to], survey):
        ack = {"matchers": text, "duration": ACK_FOR, "comment": f"ACK! {clean_line(name, limit=200)}", **where}
        anew = _foreseeing(survey)
        to = Repair("alert.silence", ack, f"Acknowledge {shown}", why, foresee=anew)
        if not _acknowledged(matchers, where.get("alertmanager", ""), survey):
            found.append(Choice(f"acknowledge{suffix}", to))
        keep = {"matchers": text, "duration": SILENCE_FOR, "comment": f"silenced from the console: {shown}", **where}
        to = Repair("alert.silence", keep, f"Silence {shown}", why, foresee=anew)
        found.append(Choice(f"silence{suffix}", to))
    return found


def _acknowledged(matchers: Sequence[Matcher], alertmanager: str, survey: Survey) -> bool:
    """Whether this console's operator has acknowledged exactly that there: another one would be stacked on it."""
    meant = set(map(str, matchers))
    sides = (side for side in survey.sides if alertmanager in ("", side.name))
    return any(
        mine(one, survey.keeps) and set(map(str, one.matchers)) == meant for side in sides for one in side.silences
    )


def _left(silence: Silence, survey: Survey) -> float:
    """Seconds until it ends."""
    return (silence.ends_at or survey.taken_at) - survey.taken_at


def _having(silence: Silence, survey: Survey) -> list[str]:
    """The names of the Alertmanagers that have it."""
    return [side.name for side in survey.sides if any(one.id == silence.id for one in side.silences)]


def _places(names: Sequence[str], survey: Survey) -> list[tuple[str, dict[str, str]]]:
    """(what to add to the label, the argument) of each Alertmanager that has to be told; peers tell each other."""
    if len(survey.sides) <= 1:
        return [("", {})]
    told = to_tell(survey.sides, names)
    return [(f" ({side.name.rpartition('/')[2]})", {"alertmanager": side.name}) for side in told]


def _text(matchers: Iterable[Matcher]) -> str:
    return ", ".join(map(str, matchers))


def _minutes(seconds: float) -> str:
    """A duration as arguments have it, in whole minutes, within what a silence may last: `1d4h5m`."""
    minutes = min(_MOST_DAYS * 1440, max(1, round(seconds / 60)))
    parts = ((minutes // 1440, "d"), (minutes % 1440 // 60, "h"), (minutes % 60, "m"))
    return "".join(f"{count}{unit}" for count, unit in parts if count)

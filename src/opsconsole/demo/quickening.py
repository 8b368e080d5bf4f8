"""The shipped monitoring, quickened: the rules and routes of `monitoring/` are what the demo loads, only that nobody
wants to wait there. Names, texts, labels, routes and inhibitions stay; what is changed is said here, and nowhere else.
"""

import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from opsconsole.core.content import shipped_content
from opsconsole.core.duration import parse_duration

GROUPS = ("airflow", "service", "data-quality")
"""The files of alerts that are loaded. Not those of SLAs: they record from now on, and would judge a month by its first
minutes; the console reckons objectives from the history."""
EVALUATED = "2s"
HASTE = 60.0
"""By what `for` is divided."""
_SHORTEST = 2.0
"""Seconds of a `for`: one evaluation."""
WINDOW = "1m"
"""What windows up to `_LONGEST` seconds become: with a sample each 2 s a minute shows as much as 15 do elsewhere."""
_LONGEST = 900.0
LIMITS = {"DatabaseLockWaits": ("> 60", "> 4")}
"""Alert -> its limit in seconds, and the demo's."""
KNOWN = "AirflowImportErrors"
"""The alert of the file that cannot be imported: it fires in a demo that is whole, and is silenced from the start."""
TOLD_AFTER, TOLD_AGAIN = "1s", "5s"
"""Until a group is told, and told of what is new in it."""
SIGN_OF_LIFE = "10s"
"""Between two messages of the dead-man's switch."""
OF_THE_MACHINE = ("CpuBusy", "MemoryScarce")
"""Alerts about the machine that the demo runs on, which may well be busy: these are not quickened."""
NO_FAULTS = "|".join(("Watchdog", KNOWN, *OF_THE_MACHINE))
"""The alerts that may fire in a demo that is whole, as a regular expression."""

_RANGE = re.compile(r"(?<=\[)\d+[smh](?=\])|(?<=\boffset )\d+[smh]\b")
_RECORDED = re.compile(r"\b((?:job|dag_id|airflow):\w+:[a-z0-9_]*?)(\d+[smh])\b")


def shipped_monitoring() -> Path:
    """The folder that `opsconsole monitoring export` wrote."""
    return shipped_content() / "monitoring"


def rules() -> dict[str, Any]:
    """The demo's rule file: all rules of `GROUPS`, quickened.

    Raises:
        OSError: the shipped files are not there.
    """
    return {
        "groups": [
            _group(group) for name in GROUPS for group in _read(f"prometheus/alerts/{name}-alerts.yml")["groups"]
        ]
    }


def labels_of(alert: str) -> dict[str, str]:
    """The labels that the rule of that name adds.

    Raises:
        KeyError: there is none.
    """
    for name in GROUPS:
        for group in _read(f"prometheus/alerts/{name}-alerts.yml")["groups"]:
            for rule in group["rules"]:
                if rule.get("alert") == alert:
                    return dict(rule["labels"])
    raise KeyError(alert)


def alertmanager(webhook: str) -> dict[str, Any]:
    """The demo's alertmanager.yml: the shipped routes and inhibitions. Every receiver is a path below `webhook`, quiet
    hours are left out (the demo is the same by night and by day), and nobody waits to be told.

    Raises:
        OSError: the shipped file is not there.
    """
    made = _read("alertmanager/alertmanager.yml")
    return {
        "route": _route(made["route"]),
        "receivers": [_receiver(one, webhook) for one in made["receivers"]],
        "inhibit_rules": made["inhibit_rules"],
    }


def silence(now: float) -> dict[str, Any]:
    """The silence that somebody made for what is known, in Alertmanager's words; `now` is in unix seconds."""
    return {
        "matchers": [{"name": "alertname", "value": KNOWN, "isRegex": False, "isEqual": True}],
        "startsAt": _moment(now),
        "endsAt": _moment(now + 14 * 86_400),
        "createdBy": "data-platform",
        "comment": "OPS-412: export_invoices.py waits for the new billing library",
    }


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _group(group: Mapping[str, Any]) -> dict[str, Any]:
    return {**group, "interval": EVALUATED, "rules": [quick_rule(rule) for rule in group["rules"]]}


def quick_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule with `alert` or `record`, `expr` and `for`, quickened."""
    if rule.get("alert") in OF_THE_MACHINE:
        return dict(rule)
    made = {**rule, "expr": quick_expression(rule["expr"])}
    if "record" in rule:
        made["record"] = quick_expression(rule["record"])
    if "for" in rule:
        made["for"] = f"{max(_SHORTEST, parse_duration(rule['for']) / HASTE):.0f}s"
    if limit := LIMITS.get(rule.get("alert", "")):
        assert limit[0] in made["expr"], f"the limit of {rule['alert']} is another one now"
        made["expr"] = made["expr"].replace(*limit)
    return made


def quick_expression(expr: str) -> str:
    """PromQL with short windows, and the names of what is recorded over them: `job:http_errors:ratio1m`."""
    shorter = _RANGE.sub(lambda match: _window(match[0]), expr)
    return _RECORDED.sub(lambda match: match[1] + _window(match[2]), shorter)


def _window(text: str) -> str:
    return WINDOW if parse_duration(text) <= _LONGEST else text


def _route(route: Mapping[str, Any]) -> dict[str, Any]:
    quick = {"group_wait": TOLD_AFTER, "group_interval": TOLD_AGAIN}
    repeat = {"repeat_interval": SIGN_OF_LIFE} if _is_watchdog(route) else {}
    made = {
        key: quick.get(key, value) if key != "routes" else [_route(one) for one in value]
        for key, value in route.items()
        if key != "mute_time_intervals"
    }
    return {**made, **repeat}


def _is_watchdog(route: Mapping[str, Any]) -> bool:
    """Its message is a sign of life, which is to come often."""
    return any("Watchdog" in one for one in route.get("matchers", ()))


def _receiver(receiver: Mapping[str, Any], webhook: str) -> dict[str, Any]:
    resolved = any(one.get("send_resolved") for one in _ways(receiver))
    hook = {"url": f"{webhook}/{receiver['name']}", "send_resolved": resolved}
    return {"name": receiver["name"], "webhook_configs": [hook]}


def _ways(receiver: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for key, ways in receiver.items():
        if key.endswith("_configs"):
            yield from ways


def _read(path: str) -> dict[str, Any]:
    import yaml

    read: dict[str, Any] = yaml.safe_load((shipped_monitoring() / path).read_text(encoding="utf-8"))
    return read

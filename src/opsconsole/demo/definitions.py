"""What the demo's monitoring is made of: the shipped `alerts.yaml` and `escalation.yaml`, quickened.

With them `opsconsole monitoring drift` can compare what its servers have loaded with what they should have. They load
what `quickening` makes of the exported files; a test proves that both ways lead to the same.
"""

from collections.abc import Mapping
from typing import Any

from opsconsole.core.content import shipped_content
from opsconsole.demo import quickening
from opsconsole.demo.quickening import EVALUATED, SIGN_OF_LIFE, TOLD_AFTER, TOLD_AGAIN


def alerts_yaml() -> dict[str, Any]:
    """The content of alerts.yaml. Its tests are those of the shipped rules, whose windows are longer.

    Raises:
        OSError: the shipped file is not there.
    """
    shipped = _read("alerts")
    # Rules of SLAs would judge a month by the first minutes of the demo; see `quickening.GROUPS`.
    head = {"version": shipped["version"], "interval": EVALUATED, "objectives": False}
    return {**head, "groups": {name: _group(shipped["groups"][name]) for name in quickening.GROUPS}}


def escalation_yaml(webhook: str) -> dict[str, Any]:
    """The content of escalation.yaml: every receiver is a path below `webhook`, and no hour is quiet.

    Raises:
        OSError: the shipped file is not there.
    """
    shipped = _read("escalation")
    return {
        "version": shipped["version"],
        "receivers": {name: [_webhook(f"{webhook}/{name}", ways)] for name, ways in shipped["receivers"].items()},
        "grouping": _grouping(shipped["grouping"]),
        "routes": [_route(one) for one in shipped["routes"]],
        "otherwise": shipped["otherwise"],
        "inhibit": shipped["inhibit"],
    }


def _group(group: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, dict[str, Any]] = {}
    for kind, key in (("recordings", "record"), ("alerts", "alert")):
        for name, rule in group.get(kind, {}).items():
            quick = quickening.quick_rule({key: name, **rule})
            made.setdefault(kind, {})[quick.pop(key)] = quick
    return made


def _webhook(url: str, ways: list[Mapping[str, Any]]) -> dict[str, Any]:
    return {"kind": "webhook", "url": url, "resolved": any(one.get("resolved", True) for one in ways)}


def _route(route: Mapping[str, Any]) -> dict[str, Any]:
    made = {key: value for key, value in route.items() if key != "quiet"}
    if "grouping" in made:
        made["grouping"] = _grouping(made["grouping"])
    if route["match"].get("alertname") == "Watchdog":
        made["grouping"] = {**made.get("grouping", {}), "repeat": SIGN_OF_LIFE}
    return made


def _grouping(grouping: Mapping[str, Any]) -> dict[str, Any]:
    quick = {"wait": TOLD_AFTER, "interval": TOLD_AGAIN}
    return {key: quick.get(key, value) for key, value in grouping.items()}


def _read(name: str) -> dict[str, Any]:
    import yaml

    path = shipped_content() / "config" / f"{name}.yaml"
    read: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return read

"""What has to be updated so that a DAG starts: all of several assets, any of them, or both in one. Pure.

Airflow 3 has it as `asset_expression`, Airflow 2.9 to 2.11 as `dataset_expression`.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from opsconsole.core.clean import clean_line
from opsconsole.pipelines.model import Awaited

_DEEPEST = 20
"""Levels of an expression; what lies deeper nobody could read either."""
_MOST_NAMES = 6
"""Of one group, that are written out."""


def awaited_of(expression: object, depth: int = 0) -> Awaited | None:
    """An expression as Airflow's JSON has it; None where there is none, or nothing can be made of it.

    Of a group those parts that cannot be read are left out.
    """
    if isinstance(expression, str) and expression:
        return Awaited("asset", uri=clean_line(expression))  # version 2
    if not isinstance(expression, dict) or depth > _DEEPEST:
        return None
    for how in ("all", "any"):
        if isinstance(group := expression.get(how), list):
            parts = tuple(one for one in (awaited_of(entry, depth + 1) for entry in group) if one is not None)
            return parts[0] if len(parts) == 1 else Awaited(how, parts) if parts else None
    if "alias" in expression:
        return Awaited("alias", name=_said(expression["alias"], "name"))
    for key in ("asset", "asset_ref", "dataset"):
        if (given := expression.get(key)) is not None:
            return Awaited("asset", name=_said(given, "name"), uri=_said(given, "uri"))
    return None


def awaited_in(text: str) -> Awaited | None:
    """The same of JSON."""
    try:
        return awaited_of(json.loads(text or "null"))
    except (ValueError, RecursionError):
        return None


def _said(given: Any, key: str) -> str:
    value = given.get(key) if isinstance(given, Mapping) else given if key == "name" else ""
    return clean_line(value) if isinstance(value, str) else ""


def located(awaited: Awaited, uris: Mapping[str, str]) -> Awaited:
    """The same, where an asset that is only named has its URI by `uris` (name -> URI)."""
    if awaited.of:
        return replace(awaited, of=tuple(located(one, uris) for one in awaited.of))
    if awaited.how == "alias" or awaited.uri:
        return awaited
    return replace(awaited, uri=uris.get(awaited.name, ""))


def remaining(awaited: Awaited, there: frozenset[str]) -> Awaited | None:
    """What is still to come, where the assets with the URIs `there` have come; None: nothing, the DAG can start."""
    if not awaited.of:
        return None if awaited.uri in there and awaited.uri else awaited
    parts = [remaining(one, there) for one in awaited.of]
    lacking = tuple(one for one in parts if one is not None)
    if not lacking or (awaited.how == "any" and len(lacking) < len(parts)):
        return None
    return lacking[0] if len(lacking) == 1 else Awaited(awaited.how, lacking)


def words(awaited: Awaited, named: Callable[[Awaited], str] | None = None) -> str:
    """`all of a, b`, `any of a, (all of b, c)`; of one asset its name. `named` says what an asset is called."""
    call = named or name_of
    if not awaited.of:
        return call(awaited)
    parts = [f"({words(one, call)})" if one.of else words(one, call) for one in awaited.of[:_MOST_NAMES]]
    more = len(awaited.of) - len(parts)
    return f"{awaited.how} of {', '.join(parts)}" + (f" and {more} more" if more else "")


def name_of(awaited: Awaited) -> str:
    """Of one asset, or alias."""
    return f"alias {awaited.name}" if awaited.how == "alias" else awaited.name or awaited.uri


def enough(awaited: Awaited, uri: str) -> bool:
    """Whether the update of that one asset starts the DAG."""
    return remaining(awaited, frozenset({uri})) is None


def assets_in(awaited: Awaited) -> frozenset[str]:
    """The URIs in an expression."""
    return frozenset({awaited.uri} - {""}).union(*map(assets_in, awaited.of))

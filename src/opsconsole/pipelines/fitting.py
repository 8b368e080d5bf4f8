"""One configuration for runs of several DAGs: what all of them can be given, and which of them it suits. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opsconsole.core.clean import clean_line
from opsconsole.pipelines.model import DagParam
from opsconsole.pipelines.params import Conf, complaint, conf_of, limits_of, parsed, text_of

_NAMED = 3
"""Different defaults or limits that are named."""


@dataclass(frozen=True, slots=True)
class SharedParam:
    """A parameter that each of several DAGs has: each with a schema and a default of its own."""

    name: str
    of: Mapping[str, DagParam]
    """DAG id -> its parameter; at least one."""

    @property
    def required(self) -> bool:
        """Whether one of them does not run without a value for it."""
        return any(one.required for one in self.of.values())

    @property
    def default(self) -> str:
        """The default that all of them have, as it would be typed; empty where they differ: each keeps its own."""
        texts = {text_of(one.default) for one in self.of.values()}
        return texts.pop() if len(texts) == 1 else ""

    @property
    def choices(self) -> tuple[str, ...]:
        """What may be given, where all of them list the same."""
        listed = {tuple(text_of(value) for value in one.schema.get("enum") or ()) for one in self.of.values()}
        return listed.pop() if len(listed) == 1 else ()

    @property
    def about(self) -> str:
        """What it is and what may be given, and where the DAGs differ in that; one clean line."""
        told = list(dict.fromkeys(one.about for one in self.of.values() if one.about))[:1]
        told += _differing(_first({dag: limits_of(one) for dag, one in self.of.items()}), "or")
        defaults = _first({dag: text_of(one.default) for dag, one in self.of.items()})
        if len(defaults) > 1:
            shown = {clean_line(text, limit=40) or "nothing": dag for text, dag in defaults.items()}
            told.append(f"empty: each its own default: {''.join(_differing(shown, 'and'))}")
        return "   ".join(told)

    def judged(self, text: str) -> str | None:
        """What is wrong with `text` for every one of them; None where it suits at least one, or is left as it is."""
        if text == self.default and not self.required:
            return None  # Airflow has checked its own defaults
        found = [_wrong(one, text) for one in self.of.values()]
        return found[0] if all(found) else None


def _first(of: Mapping[str, str]) -> dict[str, str]:
    """What is said -> the first DAG that says so."""
    found: dict[str, str] = {}
    for dag, said in of.items():
        found.setdefault(said, dag)
    return found


def shared_params(of: Mapping[str, Sequence[DagParam]]) -> tuple[SharedParam, ...]:
    """The parameters that all DAGs have, by name, in the order of the first."""
    by_name = {dag: {one.name: one for one in params} for dag, params in of.items()}
    names = next(iter(by_name.values()), {})
    return tuple(
        SharedParam(name, {dag: known[name] for dag, known in by_name.items()})
        for name in names
        if all(name in known for known in by_name.values())
    )


def fitted(of: Mapping[str, Sequence[DagParam]], typed: Mapping[str, str], more: Mapping[str, Any]) -> dict[str, Conf]:
    """DAG id -> the configuration of its run, checked against its own parameters.

    Args:
        of: the parameters of each.
        typed: values as they are typed, for parameters that all of them should have.
        more: values as JSON; they go before what was typed, and may have keys that are no parameters.
    """
    return {dag: conf_of(params, typed, more) for dag, params in of.items()}


def changed(shared: Sequence[SharedParam], typed: Mapping[str, str]) -> dict[str, str]:
    """What was typed and differs from the defaults, so that what is sent is what somebody wanted."""
    by_name = {one.name: one for one in shared}
    return {
        name: text for name, text in typed.items() if text != by_name[name].default or (by_name[name].required and text)
    }


def _wrong(param: DagParam, text: str) -> str:
    try:
        return complaint(param.schema, parsed(param, text))
    except ValueError as error:
        return str(error)


def _differing(told: Mapping[str, str], word: str) -> list[str]:
    """What they say where it is the same; else each with the first DAG that says so."""
    known = [(text, dag) for text, dag in told.items() if text]
    if len(told) <= 1:
        return [text for text, _ in known]
    shown = [f"{text} ({clean_line(dag, limit=40)})" for text, dag in known[:_NAMED]]
    more = len(known) - _NAMED
    return [f" {word} ".join(shown) + (f" {word} {more} others" if more > 0 else "")] if shown else []

"""`slas.yaml`: what was promised. So far of one kind, `pipeline`: a DAG's runs end within a target."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from opsconsole.config.document import Document, load_document
from opsconsole.config.format import VersionNumber
from opsconsole.config.schema import IDENTIFIER, Choice, Duration, ListOf, Place, Record, Text, check
from opsconsole.core.problem import Problem

KINDS = ("pipeline",)


@dataclass(frozen=True, slots=True)
class Sla:
    """One promise."""

    name: str
    kind: str
    dag: str
    """A DAG id; `*` stands for anything."""
    target: float
    """Seconds from `run_after` within which a run has to be over, and successful."""
    title: str = ""
    grace: float = 300.0
    """Seconds after it is due within which a run has to have begun."""
    owner: str = ""
    runbook: str = ""
    """The id of the runbook for when it is broken."""
    line: int = 0
    """In the file."""

    def covers(self, dag_id: str) -> bool:
        """Whether it is about this DAG."""
        return fnmatchcase(dag_id, self.dag)


_SLA = Record(
    {
        "name": IDENTIFIER,
        "kind": Choice(KINDS),
        "dag": Text(expected="a DAG id, in which * stands for anything"),
        "target": Duration(minimum=1, example="2h"),
        "title": Text(limit=200),
        "grace": Duration(minimum=0, example="5m"),
        "owner": Text(),
        "runbook": Text(expected="the id of a runbook"),
    },
    required=("name", "kind", "dag", "target"),
    what="a mapping with name, kind, dag, target, …",
)


def _names_differ(result: dict[str, Any], place: Place) -> None:
    seen: set[str] = set()
    for position, one in enumerate(result.get("slas", ())):
        name = one.get("name", "")
        if name in seen:
            place.child("slas").child(position).child("name").report("duplicate-name", f"name: {name!r} a second time")
        seen.add(name)


SLAS = Record(
    {"version": VersionNumber(), "slas": ListOf(_SLA)},
    required=("version", "slas"),
    what="a mapping with version and slas",
    verify=_names_differ,
)


def load_slas(path: Path) -> tuple[list[Sla], list[Problem]]:
    """The SLAs in the file at `path`, in its order, and all problems. One that lacks what it needs is left out.

    Raises:
        ContentError: the file cannot be read at all.
    """
    return read_slas(load_document(path))


def read_slas(document: Document) -> tuple[list[Sla], list[Problem]]:
    """As `load_slas`, from a parsed document."""
    result, problems = check(document, SLAS)
    entries: list[dict[str, Any]] = result.get("slas", []) if isinstance(result, dict) else []
    # What is no mapping was left out of the entries.
    given = document.data["slas"] if entries else []
    lines = [document.where(("slas", at))[0] for at, one in enumerate(given) if isinstance(one, dict)]
    listed = zip(entries, lines, strict=True)
    return [Sla(**one, line=line) for one, line in listed if all(key in one for key in _SLA.required)], problems

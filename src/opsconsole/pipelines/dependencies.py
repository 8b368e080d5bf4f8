"""Who feeds whom: DAGs tied by the assets that one updates and another waits for. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from opsconsole.pipelines.awaiting import assets_in, enough, located, name_of, remaining, words
from opsconsole.pipelines.model import Asset, Awaited, Lineage, Queued

_DEEPEST = 200
"""Levels of the tree; what lies deeper is not drawn there."""


@dataclass(frozen=True, slots=True)
class Feed:
    """One DAG that updates what another is started by."""

    producer: str
    consumer: str
    asset: str
    enough: bool | None = None
    """Whether this asset alone starts the consumer; None: not told."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A DAG that some of its assets have been updated for, and others not: it starts when the rest are."""

    dag_id: str
    has: tuple[Queued, ...]
    lacks: tuple[Asset, ...]
    since_at: float | None
    """Since when the first update waits (unix seconds)."""
    still: Awaited | None = None
    """What of its expression is to come; None: nothing, or the expression is not told."""
    of: int = 0
    """How many assets it is started by."""

    @property
    def reason(self) -> str:
        """In words, with who would bring what is missing."""
        if not self.lacks and self.still is None:
            return "enough of its assets are updated: its run should begin"
        lacks = {one.uri: one for one in self.lacks}

        def named(one: Awaited) -> str:
            found = lacks.get(one.uri)
            return _brought(found) if found is not None else name_of(one)

        rest = words(self.still, named) if self.still is not None else ", ".join(map(_brought, self.lacks[:5]))
        return f"has {len(self.has)} of {self.of}; waits for {rest}"


@dataclass(frozen=True, slots=True)
class Branch:
    """One line of the tree."""

    depth: int
    key: tuple[str, ...]
    """The names from the root to here."""
    dag_id: str = ""
    """Empty: it is an asset."""
    asset: Asset | None = None
    again: bool = False
    """What follows stands further up already."""


def _brought(asset: Asset) -> str:
    """The asset, with who updates it."""
    return f"{asset.name} ({'from ' + ', '.join(asset.producing_dags) if asset.producers else 'from outside'})"


def feeds(lineage: Lineage) -> list[Feed]:
    """Every pair of DAGs that an asset ties, by producer."""

    expressions = _expressions(lineage)

    def alone(consumer: str, uri: str) -> bool | None:
        awaited = expressions.get(consumer)
        return None if awaited is None else enough(awaited, uri)

    found = {
        Feed(producer, consumer, one.name, alone(consumer, one.uri))
        for one in lineage.assets
        for producer in one.producing_dags
        for consumer in one.consumers
    }
    return sorted(found, key=lambda one: (one.producer, one.consumer, one.asset))


def waiting(lineage: Lineage) -> list[Waiting]:
    """The DAGs that some of their assets have been updated for, the one that waits longest first."""
    by_dag: dict[str, list[Queued]] = {}
    for one in lineage.queued:
        by_dag.setdefault(one.dag_id, []).append(one)
    found, expressions = [], _expressions(lineage)
    for dag_id, has in by_dag.items():
        since = min((one.since_at for one in has if one.since_at is not None), default=None)
        mine = [one for one in lineage.assets if dag_id in one.consumers]
        still, lacks = _lacking(expressions.get(dag_id), mine, frozenset(one.uri for one in has))
        of = {asset.uri for asset in mine} | {one.uri for one in has}
        found.append(Waiting(dag_id, tuple(has), lacks, since, still, len(of)))
    return sorted(found, key=lambda one: (one.since_at is None, one.since_at or 0.0, one.dag_id))


def _expressions(lineage: Lineage) -> dict[str, Awaited]:
    """DAG id -> what it waits for; assets that are referred to by name with their URIs."""
    uris = {one.name: one.uri for one in lineage.assets}
    return {dag_id: located(one, uris) for dag_id, one in lineage.awaited.items()}


def _lacking(
    awaited: Awaited | None, mine: Sequence[Asset], there: frozenset[str]
) -> tuple[Awaited | None, tuple[Asset, ...]]:
    """What is to come, and the assets that would help; without an expression all of them have to."""
    lacks = tuple(one for one in mine if one.uri not in there)
    if awaited is None:
        return None, lacks
    still = remaining(awaited, there)
    uris = assets_in(still) if still is not None else frozenset()
    return still, tuple(one for one in lacks if one.uri in uris)


def starts(lineage: Lineage, dag_id: str) -> str:
    """What starts a DAG, in words; empty where a single asset does, or that is not told."""
    awaited = lineage.awaited.get(dag_id)
    return words(awaited) if awaited is not None and awaited.of else ""


def around(lineage: Lineage, dag_id: str) -> Lineage:
    """Only what feeds a DAG, however far away, and what it feeds."""
    kept = _reached(lineage.assets, dag_id, upstream=True) | _reached(lineage.assets, dag_id, upstream=False)
    return Lineage(
        tuple(one for one in lineage.assets if one.uri in kept),
        tuple(one for one in lineage.queued if one.uri in kept),
        lineage.awaited,
    )


def _reached(assets: Sequence[Asset], dag_id: str, *, upstream: bool) -> set[str]:
    inlets, outlets = _by_dag(assets, consumed=True), _by_dag(assets, consumed=False)
    seen, found, coming = {dag_id}, set[str](), [dag_id]
    while coming:
        for one in (inlets if upstream else outlets).get(coming.pop(), ()):
            found.add(one.uri)
            there = one.producing_dags if upstream else one.consumers
            coming += [other for other in there if other not in seen]
            seen.update(there)
    return found


def _by_dag(assets: Iterable[Asset], *, consumed: bool) -> Mapping[str, list[Asset]]:
    """DAG id -> the assets that it waits for, or else updates, by name."""
    found: dict[str, list[Asset]] = {}
    for one in sorted(assets, key=lambda one: one.name):
        for dag_id in one.consumers if consumed else one.producing_dags:
            found.setdefault(dag_id, []).append(one)
    return found


def tree(lineage: Lineage) -> list[Branch]:
    """The tree from those that nobody feeds down to those that feed nobody: a DAG, its assets, their consumers.

    What is reached by several ways is shown by each, and what follows from it only once; so circles end, too.
    """
    outlets = _by_dag(lineage.assets, consumed=False)
    consumers = {dag for one in lineage.assets for dag in one.consumers}
    lines: list[Branch] = []
    seen: set[str] = set()

    def grow(dag_id: str, above: tuple[str, ...]) -> None:
        stop = dag_id in seen or len(above) > _DEEPEST
        lines.append(Branch(len(above), (*above, dag_id), dag_id, again=stop and dag_id in outlets))
        if stop:
            return
        seen.add(dag_id)
        for one in outlets.get(dag_id, ()):
            grow_asset(one, (*above, dag_id))

    def grow_asset(asset: Asset, above: tuple[str, ...]) -> None:
        lines.append(Branch(len(above), (*above, asset.name), asset=asset))
        for consumer in sorted(asset.consumers):
            grow(consumer, (*above, asset.name))

    for one in sorted((one for one in lineage.assets if not one.producers), key=lambda one: one.name):
        grow_asset(one, ())
    for dag_id in (*sorted(outlets.keys() - consumers), *sorted(outlets.keys() | consumers)):
        if dag_id not in seen:  # those that are left at last are circles, which nothing leads into
            grow(dag_id, ())
    return lines

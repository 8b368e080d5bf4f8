"""The latest runs of a DAG, held by column.

A survey of five thousand DAGs has seventy thousand runs, of which most are looked at for their state and how long they
took, and no further. As objects they take most of a second to make, and every round of Python's garbage collector
looks at each of them again; as tuples of numbers and texts they take a fraction of that. A run becomes an object, and
what else is known of it is read, when somebody asks for it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import overload

from opsconsole.pipelines.model import Run

Moments = tuple[float | None, ...]
"""Unix seconds."""


@dataclass(frozen=True, slots=True)
class Rest:
    """The other columns; those that may be left out are of runs of which it is not told."""

    run_id: tuple[str, ...]
    kind: tuple[str, ...]
    run_after_at: Moments
    logical_at: Moments
    cleared: tuple[int, ...]
    queued_at: Moments = ()
    conf: tuple[str, ...] = ()
    note: tuple[str, ...] = ()


class RunList(Sequence[Run]):
    """Runs of one DAG, the newest first. Never changes; equal to any sequence of equal runs."""

    __slots__ = ("_rest", "dag_id", "ended_at", "started_at", "state")

    def __init__(
        self,
        dag_id: str,
        state: tuple[str, ...],
        started_at: Moments,
        ended_at: Moments,
        rest: Rest | Callable[[], Rest],
    ) -> None:
        """Columns of the same length; `rest` is called once, when it is needed."""
        self.dag_id = dag_id
        self.state = state
        self.started_at = started_at
        self.ended_at = ended_at
        self._rest = rest

    @classmethod
    def of(cls, runs: Sequence[Run]) -> "RunList":
        """The same runs, which are of one DAG; `runs` itself where it is one."""
        if isinstance(runs, RunList):
            return runs
        rest = Rest(
            tuple(one.run_id for one in runs),
            tuple(one.kind for one in runs),
            tuple(one.run_after_at for one in runs),
            tuple(one.logical_at for one in runs),
            tuple(one.cleared for one in runs),
            tuple(one.queued_at for one in runs),
            tuple(one.conf for one in runs),
            tuple(one.note for one in runs),
        )
        return cls(
            runs[0].dag_id if runs else "",
            tuple(one.state for one in runs),
            tuple(one.started_at for one in runs),
            tuple(one.ended_at for one in runs),
            rest,
        )

    @property
    def rest(self) -> Rest:
        """What is not looked at in every run."""
        if not isinstance(self._rest, Rest):
            self._rest = self._rest()
        return self._rest

    def __len__(self) -> int:
        return len(self.state)

    @overload
    def __getitem__(self, index: int) -> Run: ...

    @overload
    def __getitem__(self, index: slice) -> list[Run]: ...

    def __getitem__(self, index: int | slice) -> Run | list[Run]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        rest = self.rest
        return Run(
            self.dag_id,
            rest.run_id[index],
            self.state[index],
            rest.kind[index],
            rest.run_after_at[index],
            rest.logical_at[index],
            rest.queued_at[index] if rest.queued_at else None,
            self.started_at[index],
            self.ended_at[index],
            rest.conf[index] if rest.conf else "",
            rest.note[index] if rest.note else "",
            rest.cleared[index],
        )

    def __iter__(self) -> Iterator[Run]:
        return (self[place] for place in range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str):
            return NotImplemented
        return list(self) == list(other)

    def __hash__(self) -> int:
        return hash((self.dag_id, self.state, self.started_at))

    def __repr__(self) -> str:
        return f"RunList({list(self)!r})"

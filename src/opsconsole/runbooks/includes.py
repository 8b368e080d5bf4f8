"""Putting the steps of other runbooks in the place of `include` steps.

What comes out is one runbook with one walk: an included step is called `INCLUDE.STEP` and knows its scope, through
which it sees the values it was passed. An include that cannot be put in stays as it is, and the linter says why.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from opsconsole.core.problem import nearest
from opsconsole.runbooks.library import Library, UnreadableError, load_runbook
from opsconsole.runbooks.model import Kind, Runbook, Scope, Step

DEPTH = 5
"""Includes within includes."""
Find = Callable[[str], Runbook | None]
"""From an id to a runbook."""


def beside(runbook: Runbook) -> Find:
    """Finds runbooks in the folder that `runbook` lies in."""
    return Library(Path(runbook.path).resolve().parent).get


def kept_in(folder: Path) -> Find:
    """Finds the runbooks that a run has kept: `folder` is the run's."""

    def find(runbook_id: str) -> Runbook | None:
        try:
            return load_runbook(folder / "included" / f"{runbook_id}.md")
        except UnreadableError:
            return None

    return find


def has_includes(runbook: Runbook) -> bool:
    """Whether there is anything to put in."""
    return any(step.kind is Kind.INCLUDE for step in runbook.steps)


def expand(runbook: Runbook, find: Find | None = None, *, chain: tuple[str, ...] = ()) -> Runbook:
    """`runbook` with the steps of what it includes.

    Args:
        runbook: as it was parsed; one that is expanded already comes back as it is.
        find: where included runbooks come from; None: its own folder.
        chain: the ids of the runbooks that include this one.
    """
    if not has_includes(runbook):
        return runbook
    find = find or beside(runbook)
    expansion = _Expansion(runbook, find, (*chain, runbook.id))
    return expansion.expanded()


def include_faults(step: Step, runbook: Runbook, find: Find, chain: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Why `step` of `runbook` cannot be put in: (attribute, message) pairs."""
    chain = (*chain, runbook.id)
    if not step.includes:
        return
    if step.includes in chain:
        yield "runbook", f"{' → '.join((*chain, step.includes))} is a circle"
        return
    if len(chain) > DEPTH:
        yield "runbook", f"{step.includes!r} would be the {len(chain)}th within another; at most {DEPTH}"
        return
    included = find(step.includes)
    if included is None:
        yield "runbook", f"no runbook {step.includes!r} beside this one"
        return
    yield from _unfit(step, runbook, included, find, chain)


def _unfit(
    step: Step, runbook: Runbook, included: Runbook, find: Find, chain: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    from opsconsole.runbooks.lint import errors, lint

    if found := errors(lint(included, find=find, chain=chain)):
        yield "runbook", f"{step.includes!r} has errors: {found[0].message}"
        return
    inner = expand(included, find, chain=chain)
    names = [one.name for one in inner.route]
    for name in step.only:
        if name not in names:
            yield "only", f"no step {name!r} in {step.includes!r}{nearest(name, names)}"
    if not names:
        yield "runbook", f"{step.includes!r} has no steps"
    given = dict(step.arguments)
    known = [param.name for param in included.params]
    for name in given:
        if name not in known:
            yield "runbook", f"{step.includes!r} has no parameter {name!r}{nearest(name, known)}"
    for param in included.params:
        if param.required and not given.get(param.name):
            yield "runbook", f"{step.includes!r} needs {param.name}; pass it: {param.name}: $NAME"
    used = {name for one in inner.steps for name in one.env or ()}
    for secret in included.secrets:
        if secret in used and secret not in runbook.secrets:
            yield "runbook", f"{step.includes!r} uses the secret {secret}; declare it under secrets: here, too"


@dataclass(slots=True)
class _Expansion:
    runbook: Runbook
    find: Find
    chain: tuple[str, ...]

    def expanded(self) -> Runbook:
        steps: list[Step] = []
        first: dict[str, str] = {}
        scopes: dict[str, Scope] = {}
        for step in self.runbook.steps:
            included = self._included(step)
            if included is None:
                steps.append(step)
                continue
            inner, put = included
            taken = list(self._taken(step, inner))
            first[step.name] = next((one.name for one in taken if not one.aside), step.name)
            steps += taken
            scopes |= put
        steps = [self._led(step, first) for step in steps]
        return replace(self.runbook, steps=tuple(steps), scopes=MappingProxyType({**self.runbook.scopes, **scopes}))

    def _included(self, step: Step) -> tuple[Runbook, Mapping[str, Scope]] | None:
        if step.kind is not Kind.INCLUDE or any(include_faults(step, self.runbook, self.find, self.chain[:-1])):
            return None
        included = self.find(step.includes)
        assert included is not None
        inner = expand(included, self.find, chain=self.chain)
        if has_includes(inner):
            return None
        scopes = {step.name: Scope(included, step.arguments)}
        for name, scope in inner.scopes.items():
            scopes[f"{step.name}.{name}"] = replace(scope, parent=_within(step.name, scope.parent))
        return inner, scopes

    def _taken(self, include: Step, inner: Runbook) -> Iterator[Step]:
        """The steps of `inner` that come in, as they are called here."""
        wanted = [step for step in inner.route if not include.only or step.name in include.only]
        needed = _needed(inner, wanted)
        count = 0
        for step in inner.steps:
            if step not in wanted and step.name not in needed:
                continue
            walked = step in wanted
            count += walked
            taken = _renamed(step, include, f"{include.number}.{count}" if walked else include.number)
            undoes = any(one.undo == step.name for one in wanted)
            yield replace(taken, aside=not walked and not undoes)
            if walked and count == 1 and include.prose:
                include = replace(include, prose="")

    def _led(self, step: Step, first: Mapping[str, str]) -> Step:
        kind, _, name = step.on_fail.partition(":")
        return replace(step, on_fail=f"goto:{first[name]}") if kind == "goto" and name in first else step


def _needed(inner: Runbook, wanted: list[Step]) -> set[str]:
    """The names of the steps that `wanted` refer to, directly or not."""
    found: set[str] = set()
    waiting = list(wanted)
    while waiting:
        step = waiting.pop()
        for name in (step.verify, step.undo, step.wait_for):
            target = inner.step(name) if name else None
            if target is not None and name not in found:
                found.add(name)
                waiting.append(target)
    return found


def _renamed(step: Step, include: Step, number: str) -> Step:
    def named(name: str) -> str:
        return f"{include.name}.{name}" if name else ""

    kind, _, target = step.on_fail.partition(":")
    conditions = tuple(
        replace(
            one,
            subject=named(one.subject) if one.is_step else one.subject,
            scope=_within(include.name, one.scope),
        )
        for one in step.when
    )
    return replace(
        step,
        name=named(step.name),
        number=number,
        group=include.group,
        prose="\n\n".join(text for text in (include.prose, step.prose) if text),
        verify=named(step.verify),
        undo=named(step.undo),
        wait_for=named(step.wait_for),
        on_fail=f"goto:{named(target)}" if kind == "goto" else step.on_fail,
        when=(*include.when, *conditions),
        critical=step.critical and include.critical,
        exclude_from_run_all=step.exclude_from_run_all or include.exclude_from_run_all,
        scope=_within(include.name, step.scope),
    )


def _within(outer: str, inner: str) -> str:
    return f"{outer}.{inner}" if inner else outer

"""How the slow tests are dealt out to the workers of pytest-xdist: file by file, the long ones first, and what shares a
server to one worker.

A demo costs a worker ten seconds to start and a seventh of a core until it is stopped, so two workers have one and not
each of them, and no longer than its tests last. Tests of it mostly wait; the third worker's mostly reckon. Begun last,
the longest file would be waited for by workers that have nothing left to do.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest
from xdist.scheduler import LoadFileScheduling

ROOT = Path(__file__).parent.parent
TOGETHER = {
    "tests/integration/test_demo_platform.py": "one demo",
    "tests/integration/test_demo_airflow.py": "one demo",
    "tests/integration/screens/test_shipped_screens.py": "one demo",
    "tests/terminal/test_main_job.py": "one demo",
    "tests/integration/screens/test_status.py": "another demo",
    "tests/integration/runbooks/test_library.py": "another demo",
    "tests/integration/runbooks/test_service_restart.py": "another demo",
    "tests/integration/runbooks/test_library_services.py": "another demo",
}
"""Files, and with which others they go to the same worker, in this order: what wants a healthy demo goes before what
leaves alerts behind that take a minute to end."""
LONG = (
    "tests/integration/pipelines/test_airflow.py",
    *TOGETHER,
    "tests/terminal/test_keys.py",
    "tests/terminal/test_supervised_run.py",
    "tests/terminal/test_hostile_text.py",
    "tests/terminal/test_failing_sources.py",
    "tests/terminal/test_running_work.py",
    "tests/terminal/test_workbench.py",
    "tests/screens/test_pipelines.py",
    "tests/integration/runbooks/test_elsewhere.py",
)
"""What takes a minute and more, and so begins first."""


class Dealing(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """`--dist loadfile`, but for the files that stay together."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return TOGETHER.get(file, file)


def long_ones_first(items: list[pytest.Item]) -> None:
    """Put them into the order in which they are dealt out.

    Raises:
        UsageError: a test takes the demo, and its file is not in `TOGETHER`.
    """
    _know(items)
    places = {file: place for place, file in enumerate(LONG)}
    items.sort(key=lambda item: places.get(_file(item), len(places)))


def takes_the_demo(item: pytest.Item) -> bool:
    """Whether it is one of a file whose tests share a demo."""
    return _file(item) in TOGETHER


def _know(items: Sequence[pytest.Item]) -> None:
    taking = {_file(item) for item in items if "demo_platform" in getattr(item, "fixturenames", ())}
    if unknown := sorted(taking - set(TOGETHER)):
        raise pytest.UsageError(
            f"tests of the demo in {', '.join(unknown)}: say in {__name__} with which others they go"
        )


def _file(item: pytest.Item) -> str:
    return item.path.relative_to(ROOT).as_posix()

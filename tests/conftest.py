"""Fixtures that several kinds of test share."""

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from opsconsole.config import secrets
from tests import examples
from tests.platform import DemoPlatform, SharedDemo

examples.register()
_demo = SharedDemo()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is collected lives as long as the run: the garbage collector need not walk through it again and again.

    Thousands of tests are some hundred thousand objects; walking them was a third of what unit tests cost. Garbage of
    tests is collected as ever, only in larger lots.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
        gc.set_threshold(20_000, 20, 20)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins early."""
    if any("/unit/" not in item.path.as_posix() for item in items):
        from tests.scheduling import long_ones_first

        long_ones_first(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `--dist loadfile`: what shares a server goes to one worker."""
    from tests.scheduling import Dealing

    return Dealing(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(autouse=True)
def no_secrets_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test fetched as a secret is an ordinary word in the next one's output."""
    monkeypatch.setattr(secrets, "_known", set())


@pytest.fixture(scope="session")
def shared_demo() -> Iterator[SharedDemo]:
    """Stops the demo at the end of the session, however that comes."""
    yield _demo
    _demo.stop()


@pytest.fixture(scope="module")
def demo_platform(shared_demo: SharedDemo, tmp_path_factory: pytest.TempPathFactory) -> DemoPlatform:
    """The demo, started once for all tests that go together. Who breaks it heals it: take `demo` for that."""
    return shared_demo.platform(lambda: tmp_path_factory.mktemp("state"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Iterator[None]:
    """The demo ends with the last test of those that go together because of it."""
    yield
    if _demo.runs:
        from tests.scheduling import takes_the_demo

        if nextitem is None or not takes_the_demo(nextitem):
            _demo.stop()


@pytest.fixture
def demo(demo_platform: DemoPlatform) -> Iterator[DemoPlatform]:
    """The demo, whole at the beginning; whatever the test breaks is healed at its end."""
    demo_platform.wait_for("(count(up == 1) == count(up)) and on() count(up) > 10")
    yield demo_platform
    demo_platform.heal()


def pytest_make_parametrize_id(val: object) -> str | None:
    """Cases of a megabyte are named by their first characters; a test's name is read by people."""
    if isinstance(val, str | bytes) and len(val) > 60:
        return repr(val[:60]).strip("b'\"") + f"… {len(val)}"
    return None

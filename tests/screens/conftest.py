"""What pictures of screens have in common."""

from pathlib import Path

import pytest

from opsconsole.ui import opened


@pytest.fixture
def still_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine or of the moment gets into a picture."""
    monkeypatch.setenv("OPSCONSOLE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(opened, "_LIBRARY_DELAY", 0.0)


@pytest.fixture
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is written goes where the test can look at it."""
    monkeypatch.setenv("OPSCONSOLE_STATE", str(tmp_path / "state"))

"""`sla metrics` where the file of SLAs cannot be read: what was written stays."""

from pathlib import Path

import pytest

from opsconsole.cli.main import main
from opsconsole.core.exit_codes import Exit

SOUND = "  - {name: late, kind: pipeline, dag: load, target: 2h}\n"


@pytest.mark.parametrize("slas", ["version: 1\nslas: [", "version: 1\nslas:\n  - {name: b}\n"])
def test_a_file_that_cannot_be_read_empties_nothing_and_is_a_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], slas: str
) -> None:
    (tmp_path / "slas.yaml").write_text(slas)
    config = tmp_path / "opsconsole.yaml"
    config.write_text("version: 1\nenvironments: {test: {slas: slas.yaml}}\n")
    written = tmp_path / "sla.prom"
    written.write_text("as it was\n")
    code = main(["sla", "metrics", "--config", str(config), "--textfile", str(written)])
    said = capsys.readouterr()
    assert code == Exit.FAILED
    assert written.read_text() == "as it was\n"
    assert "slas.yaml:" in said.err
    assert "Prometheus counts every SLA" not in said.err


def test_what_is_sound_is_written_and_the_rest_is_a_failure_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "slas.yaml").write_text(f"version: 1\nslas:\n{SOUND}  - {{name: b}}\n")
    config = tmp_path / "opsconsole.yaml"
    config.write_text("version: 1\nenvironments: {test: {slas: slas.yaml}}\n")
    assert main(["sla", "metrics", "--config", str(config)]) == Exit.FAILED
    assert "no airflow is configured" in capsys.readouterr().err

"""Airflow in an environment of its own in the cache, from the pinned and hashed `requirements.txt` beside this file."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from opsconsole.demo.packages import FetchError, Narrate, exclusive

REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def airflow(narrate: Narrate) -> Path:
    """The program `airflow`, installed where it is not yet: a minute or two, and 400 MB of disk.

    Raises:
        FetchError: it cannot be had here; says why.
    """
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    name = f"airflow-{digest}-py{sys.version_info.major}.{sys.version_info.minor}"
    with exclusive("airflow") as folder:
        place = folder / name
        program, stamp = place / "bin" / "airflow", place / ".complete"
        if stamp.exists() and program.exists():
            return program
        narrate(f"installing Airflow 3 into {place}: a minute or two")
        shutil.rmtree(place, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(place)])
        pip = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        # All of it is in the file, so there is nothing to resolve.
        _run([*pip, "--no-deps", "--require-hashes", "-r", str(REQUIREMENTS)])
        stamp.touch()
        return program


def _run(argv: list[str]) -> None:
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        python = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise FetchError(
            f"a real Airflow cannot be installed here ({said}); it needs the network, and a Python that it knows"
            f" (this is {python}). Without --with-airflow the demo needs neither"
        )

"""Where the shipped screens, runbooks and configuration lie."""

from pathlib import Path


def shipped_content() -> Path:
    """The folder with `screens/`, `runbooks/` and `config/`: inside the package when installed from a
    wheel, the top of the repository in a checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "content"
    return installed if installed.is_dir() else package.parent.parent

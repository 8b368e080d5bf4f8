"""Files that only this user may read."""

from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Write a file that only this user reads, in one step: it may be read at any time."""
    scratch = path.with_name(f".{path.name}.new")
    scratch.touch(mode=0o600)
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(path)

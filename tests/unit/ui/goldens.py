"""Expected screens as plain text, in files that a person can read and review.

`OPSCONSOLE_UPDATE_GOLDENS=1 pytest …` writes them anew; look at the difference before committing it.
"""

import os
from pathlib import Path

_FOLDER = Path(__file__).parent / "goldens"


def assert_golden(name: str, sections: dict[str, str]) -> None:
    """Compare every section with the file `goldens/NAME.txt`; blank lines at the ends do not count."""
    text = "".join(f"=== {title}\n{body.rstrip()}\n\n" for title, body in sections.items())
    file = _FOLDER / f"{name}.txt"
    if os.environ.get("OPSCONSOLE_UPDATE_GOLDENS"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")

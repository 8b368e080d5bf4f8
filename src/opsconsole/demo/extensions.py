"""PostgreSQL with an extension beside what its packages bring, without root: the system's folders stay as they are.

PostgreSQL looks for its files by the place of its program: `…/usr/lib/postgresql/15/bin` has its share in
`…/usr/share/postgresql/15`. So a tree with a copy of that one program, links to everything else, and the extension's
files among the links is a PostgreSQL that has the extension.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from opsconsole.core.paths import cache_dir
from opsconsole.demo import packages
from opsconsole.demo.binaries import postgres_bin
from opsconsole.demo.packages import FetchError, Narrate, exclusive

_BIN = re.compile(r"usr/lib/postgresql/(\d+)/bin$")


def postgres_with(extension: str, place: Path, *, narrate: Narrate) -> Path:
    """The program `postgres` that can `CREATE EXTENSION extension`; the other tools are where they always are.

    Where PostgreSQL is the system's own, it stands in a tree below `place`, an empty folder that has to stay as long
    as it runs, and that the user it runs as has to reach.

    Raises:
        FetchError: the extension's Debian package is not to be had, or PostgreSQL is laid out in another way here.
        MissingBinary: there is no PostgreSQL.
    """
    folder = postgres_bin(narrate=narrate)
    if (_share(folder) / "extension" / f"{extension}.control").exists():
        return folder / "postgres"
    cached = cache_dir() / "packages" / "postgresql"
    own = max(cached.glob("usr/lib/postgresql/*/bin")) if folder == cached / "bin" else folder.resolve()
    found = _BIN.search(own.as_posix())
    if found is None:
        raise FetchError(f"{own} is not laid out as Debian does it")
    package = f"postgresql-{found[1]}-{extension}"
    if not packages.available():
        raise FetchError(f"no apt-get here; install {package}")
    brought = packages.unpack(package, (package,), narrate, skip=".*")
    root = own.parents[4]
    if root == cached:
        with exclusive("postgresql"):
            _copied(brought, root)
        return folder / "postgres"
    _linked_tree(root, place, found[1])
    _copied(brought, place)
    return place / own.relative_to(root) / "postgres"


def _linked_tree(root: Path, place: Path, version: str) -> None:
    """Below `place` the folders of the PostgreSQL below `root`, of links; but the program itself."""
    libraries, share = Path(f"usr/lib/postgresql/{version}"), Path(f"usr/share/postgresql/{version}")
    for part in (libraries / "bin", libraries / "lib", share):
        _linked(root / part, place / part)
    (place / share / "extension").unlink()
    _linked(root / share / "extension", place / share / "extension")
    # A link would be followed: the program would find itself, and its files, where they always were.
    program = libraries / "bin/postgres"
    (place / program).unlink()
    shutil.copy2(root / program, place / program)


def _linked(source: Path, target: Path) -> None:
    """`target` as a folder of links to all that is in `source`."""
    target.mkdir(parents=True)
    for one in source.iterdir():
        (target / one.name).symlink_to(one)


def _copied(brought: Path, root: Path) -> None:
    """The files of an unpacked extension to where they belong below `root`."""
    for path in _files(brought / "usr/lib/postgresql", brought / "usr/share/postgresql"):
        target = root / path.relative_to(brought)
        target.unlink(missing_ok=True)
        shutil.copy2(path, target)


def _files(*folders: Path) -> Iterator[Path]:
    for folder in folders:
        # Bitcode is for just-in-time compilation, whose folder may be a link to the system's own.
        yield from (one for one in folder.rglob("*") if one.is_file() and "bitcode" not in one.parts)


def _share(folder: Path) -> Path:
    """Where the PostgreSQL in `folder` has its files, as `pg_config` says."""
    try:
        done = subprocess.run([folder / "pg_config", "--sharedir"], capture_output=True, text=True, check=False)
    except OSError:
        return folder
    return Path(done.stdout.strip() or folder)

"""What a server has and what the connected role may see there; the basis of every version branch."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from opsconsole.database.naming import quoted
from opsconsole.database.row import Row


@dataclass(frozen=True, slots=True)
class Extension:
    """An extension that is created in this database."""

    version: str
    """Its own: after pg_upgrade it stays the old one until ALTER EXTENSION … UPDATE."""
    schema: str


@dataclass(frozen=True, slots=True)
class Catalog:
    """Read once for a connection."""

    columns: Mapping[str, frozenset[str]]
    """View or relation -> its columns."""
    extensions: Mapping[str, Extension] = field(default_factory=dict)
    available: Mapping[str, str] = field(default_factory=dict)
    """Extension that could be created here -> its version. Only those that the console can use."""
    roles: frozenset[str] = frozenset()
    """Predefined roles whose rights the connected role has."""
    settings: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "Catalog":
        """From the rows of `sql/catalog.sql`."""
        columns: dict[str, set[str]] = {}
        extensions: dict[str, Extension] = {}
        named: dict[str, dict[str, str]] = {"available": {}, "setting": {}, "fact": {}, "role": {}}
        for row in rows:
            kind, name, detail = row.text("kind"), row.text("name"), row.text("detail")
            if kind == "column":
                columns.setdefault(name, set()).add(detail)
            elif kind == "extension":
                extensions[name] = Extension(detail, row.text("place"))
            else:
                named[kind][name] = detail
        return cls(
            {view: frozenset(found) for view, found in columns.items()},
            extensions,
            named["available"],
            frozenset(named["role"]),
            named["setting"],
            named["fact"],
        )

    def has(self, view: str, column: str = "") -> bool:
        """Whether there is such a view, and in it such a column."""
        return view in self.columns and (not column or column in self.columns[view])

    @property
    def version(self) -> str:
        """For people: `15.18`."""
        return self.settings.get("server_version", "").partition(" ")[0]

    @property
    def version_num(self) -> int:
        """150018 is 15.18. For words to people; what is there decides about statements."""
        return int(self.settings.get("server_version_num", "0"))

    @property
    def database(self) -> str:
        """The database's own name."""
        return self.facts.get("database", "")

    @property
    def role(self) -> str:
        """Who is connected."""
        return self.facts.get("role", "")

    @property
    def superuser(self) -> bool:
        """Whether the role is one. Nothing here needs it."""
        return self.facts.get("superuser") == "true"

    @property
    def sees_all(self) -> bool:
        """Whether other users' statements are readable."""
        return self.superuser or "pg_read_all_stats" in self.roles

    def grant(self, right: str = "pg_monitor") -> str:
        """The statement with which somebody allows this role more, for people."""
        return f"grant {right} to {quoted(self.role)};"

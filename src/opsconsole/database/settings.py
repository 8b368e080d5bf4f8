"""Settings worth changing, each with its reason and where the advice comes from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from opsconsole.core.state import State
from opsconsole.core.units import format_value
from opsconsole.database.asking import Database
from opsconsole.database.finding import Coverage
from opsconsole.database.row import Row

_FACTORS = {"B": 1, "kB": 2**10, "8kB": 2**13, "MB": 2**20, "GB": 2**30, "ms": 0.001, "s": 1, "min": 60, "us": 1e-6}
_DEFAULTS = ("default", "")
_ELSEWHERE = {
    "command line": "it is given on the server's command line, which ALTER SYSTEM does not override: change it "
    "there, and restart",
    "environment variable": "it comes from the server's environment, which ALTER SYSTEM does not override: change it "
    "there, and restart",
    "database": "it is set for this database: ALTER DATABASE … RESET {name};",
    "user": "it is set for the role that asks: ALTER ROLE … RESET {name};",
    "database user": "it is set for the role that asks, in this database: ALTER ROLE … IN DATABASE … RESET {name};",
}
"""What wins over ALTER SYSTEM, by pg_settings.source, and how it is changed there."""
_AT_START = ("command line", "environment variable")
"""Sources that are read when the server starts."""
_SIZE = "(database bytes)"
MIB, GIB = float(2**20), float(2**30)


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it is now."""

    name: str
    value: str
    unit: str
    source: str
    """Where the value comes from: `default`, `configuration file`, `database`, …"""
    context: str
    """When a change takes effect: `postmaster` needs a restart, `sighup` a reload."""
    pending_restart: bool

    @property
    def number(self) -> float | None:
        """In bytes or seconds, or as it is; None for words."""
        try:
            return float(self.value) * _FACTORS.get(self.unit, 1)
        except ValueError:
            return None

    @property
    def shown(self) -> str:
        """For people: `128 MiB`, `5m`."""
        number = self.number
        if number is None or not self.unit or number < 0:
            return self.value
        return format_value(number, "bytes" if self.unit in ("B", "kB", "8kB", "MB", "GB") else "s")


@dataclass(frozen=True, slots=True)
class Advice:
    """A setting that somebody should look at."""

    name: str
    state: State
    value: str
    suggested: str
    """What to write; empty where that depends on the machine."""
    why: str
    reference: str
    """Where that is said."""
    restart: bool
    source: str = ""
    """Where its value comes from, as in `Setting`."""

    @property
    def sql(self) -> str:
        """The statement that changes it, for people; empty without a suggestion, and where it would change nothing."""
        if not self.suggested or self.source in _ELSEWHERE:
            return ""
        return f"ALTER SYSTEM SET {self.name} = '{self.suggested}';"

    @property
    def how(self) -> str:
        """What to do, for people."""
        if self.source in _ELSEWHERE:
            return _ELSEWHERE[self.source].format(name=self.name)
        when = "a restart" if self.restart else "SELECT pg_reload_conf();"
        return f"{self.sql or 'set it in postgresql.conf'} then {when}"


@dataclass(frozen=True, slots=True)
class Settings:
    """What was read, by name, and what follows."""

    settings: Mapping[str, Setting]
    advice: tuple[Advice, ...]
    taken_at: float
    coverage: Coverage = field(default_factory=Coverage)


Settled = Mapping[str, Setting]


@dataclass(frozen=True, slots=True)
class _Rule:
    name: str
    holds: Callable[[Setting, Settled], bool]
    why: str
    reference: str
    suggested: str = ""
    state: State = State.OK


def _off(setting: Setting, _: Settled) -> bool:
    return setting.value == "off"


def _none(setting: Setting, _: Settled) -> bool:
    return setting.number == 0


def _never(setting: Setting, _: Settled) -> bool:
    return setting.number == -1


def _small_buffers(setting: Setting, others: Settled) -> bool:
    size = _number(others, _SIZE)
    return (setting.number or 0) <= 128 * MIB and size > GIB


def _small_cache(setting: Setting, others: Settled) -> bool:
    return (setting.number or 0) < _number(others, "shared_buffers")


def _slow_disk(setting: Setting, _: Settled) -> bool:
    return setting.source in _DEFAULTS and (setting.number or 0) >= 4


def _much_work_mem(setting: Setting, others: Settled) -> bool:
    return (setting.number or 0) * _number(others, "max_connections") > 64 * GIB


def _many_connections(setting: Setting, _: Settled) -> bool:
    return (setting.number or 0) > 500


_DOC = "PostgreSQL documentation, "
_RULES = (
    _Rule("autovacuum", _off, "dead rows stay, statistics age, and in the end the server stops for wraparound",
          _DOC + "25.1 Routine Vacuuming", "on", State.CRIT),
    _Rule("track_counts", _off, "autovacuum works by these counts", _DOC + "20.9", "on", State.CRIT),
    _Rule("fsync", _off, "a crash can leave the database beyond repair", _DOC + "20.5", "on", State.CRIT),
    _Rule("full_page_writes", _off, "a crash in the middle of a page's write corrupts it silently", _DOC + "20.5", "on",
          State.CRIT),
    _Rule("synchronous_commit", _off, "the last transactions before a crash may be lost, though confirmed",
          _DOC + "20.5", "", State.WARN),
    _Rule("track_io_timing", _off, "how long reads take is in no plan and no statistics; costs little where the clock "
          "is quick (pg_test_timing says)", _DOC + "20.9", "on"),
    _Rule("idle_in_transaction_session_timeout", _none, "a forgotten transaction keeps its locks, and vacuum from "
          "removing rows, for ever", _DOC + "20.11", "15min", State.WARN),
    _Rule("random_page_cost", _slow_disk, "the default means spinning disks; on SSD it makes the planner avoid indexes",
          _DOC + "20.7.2; 1.1 is the usual value for SSD", "1.1"),
    _Rule("shared_buffers", _small_buffers, "the default of 128 MB on a database of more than 1 GiB; a quarter of the "
          "memory is the usual start", _DOC + "20.4"),
    _Rule("effective_cache_size", _small_cache, "less than shared_buffers: the planner thinks little is cached, and "
          "avoids indexes", _DOC + "20.7.2"),
    _Rule("work_mem", _much_work_mem, "times max_connections it is more than 64 GiB; every sort and hash of every "
          "session may take it", _DOC + "20.4", "", State.WARN),
    _Rule("max_connections", _many_connections, "each session costs memory and time in every snapshot; a pool in front "
          "serves more with fewer", _DOC + "20.3"),
    _Rule("log_lock_waits", _off, "long waits for locks leave no trace", _DOC + "20.8", "on"),
    _Rule("log_checkpoints", _off, "slow or frequent checkpoints leave no trace", _DOC + "20.8", "on"),
    _Rule("log_temp_files", _never, "sorts and hashes that spill to disk leave no trace", _DOC + "20.8", "10MB"),
    _Rule("checkpoint_completion_target", lambda one, _: (one.number or 1) < 0.9, "checkpoints write in a burst rather "
          "than spread", _DOC + "20.5.2 (default 0.9 since 14)", "0.9"),
    _Rule("max_slot_wal_keep_size", _never, "a slot whose consumer is gone keeps WAL until the disk is full",
          _DOC + "20.6"),
)  # fmt: skip


async def read_settings(database: Database) -> Settings:
    """The settings that advice is about, and the advice.

    Raises:
        SourceError: it cannot be asked.
    """
    found = await database.rows("settings")
    settings = {row.text("name"): _setting_of(row) for row in found}
    return Settings(settings, advise(settings), found.taken_at)


def advise(settings: Settled) -> tuple[Advice, ...]:
    """What to look at, worst first. A setting that was not read gets no advice."""
    found = [
        Advice(
            rule.name, rule.state, settings[rule.name].shown, rule.suggested, rule.why, rule.reference,
            settings[rule.name].context == "postmaster" or settings[rule.name].source in _AT_START,
            settings[rule.name].source,
        )
        for rule in _RULES
        if rule.name in settings and rule.holds(settings[rule.name], settings)
    ]  # fmt: skip
    found += [
        Advice(one.name, State.WARN, one.shown, "", "was changed, and waits for a restart", _DOC + "54.24", True)
        for one in settings.values()
        if one.pending_restart
    ]
    return tuple(sorted(found, key=lambda one: -one.state.severity))


def _setting_of(row: Row) -> Setting:
    name, value, unit, source, context = map(row.text, ("name", "setting", "unit", "source", "context"))
    return Setting(name, value, unit, source, context, row.flag("pending_restart"))


def _number(settings: Settled, name: str) -> float:
    setting = settings.get(name)
    return (setting.number or 0.0) if setting else 0.0

"""From what the server sends for a column to a table cell.

Text format only, and decoded here rather than by psycopg: a single byte that is not of the connection's encoding
(and `pg_stat_activity` shows the queries of databases with other encodings) would lose the whole answer.
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from opsconsole.core.clean import clean, clean_bytes
from opsconsole.core.values import Cell

# As pg_type.oid, which never change.
_BOOL, _BYTEA, _INTERVAL, _TIMESTAMP, _TIMESTAMPTZ = 16, 17, 1186, 1114, 1184
_INTEGERS = (20, 21, 23, 26)
_FLOATS = (700, 701, 1700)

_DAY = 86_400.0
_INTERVAL_TEXT = re.compile(
    r"(?:([+-]?\d+) years? ?)?(?:([+-]?\d+) mons? ?)?(?:([+-]?\d+) days? ?)?(?:([+-])?(\d+):(\d\d):(\d\d(?:\.\d+)?))?"
)
# PostgreSQL's names for encodings -> Python's. What is missing here is read as UTF-8 with replacements.
_CODECS = {
    "BIG5": "big5", "EUC_CN": "gb2312", "EUC_JIS_2004": "euc_jis_2004", "EUC_JP": "euc_jp", "EUC_KR": "euc_kr",
    "GB18030": "gb18030", "GBK": "gbk", "JOHAB": "johab", "KOI8R": "koi8-r", "KOI8U": "koi8-u", "SJIS": "shift_jis",
    "SHIFT_JIS_2004": "shift_jis_2004", "UHC": "cp949", "WIN866": "cp866", "WIN874": "cp874",
    **{f"LATIN{n}": f"iso8859-{part}" for n, part in enumerate((1, 2, 3, 4, 9, 10, 13, 14, 15, 16), start=1)},
    **{f"ISO_8859_{n}": f"iso8859-{n}" for n in (5, 6, 7, 8)},
    **{f"WIN{n}": f"cp{n}" for n in range(1250, 1259)},
}  # fmt: skip


def codec_of(encoding: str) -> str:
    """The Python codec for a PostgreSQL encoding; UTF-8 where there is none, as for SQL_ASCII."""
    return _CODECS.get(encoding.upper(), "utf-8")


def zone_of(name: str) -> tzinfo:
    """The session's time zone, in which times without a zone are meant."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return UTC


def names_of(columns: Iterable[tuple[bytes, int]], codec: str) -> tuple[str, ...]:
    """The names of (name, type oid), cleaned."""
    return tuple(clean(name.decode(codec, errors="replace")) for name, _ in columns)


def cell(oid: int, data: bytes | None, codec: str, zone: tzinfo) -> Cell:
    """One value. Numbers as int or float, intervals as seconds, times with a zone, everything else as cleaned text."""
    return None if data is None else decoder(oid, codec, zone)(data)


def decoder(oid: int, codec: str, zone: tzinfo) -> Callable[[bytes], Cell]:
    """What `cell` does for one column, looked up once for all of its rows."""
    if oid == _BOOL:
        return lambda data: data == b"t"
    reader = _READERS.get(oid)

    def text(data: bytes) -> Cell:
        return clean(data.decode(codec, errors="replace"))

    def read(data: bytes) -> Cell:
        assert reader is not None
        try:
            return reader(data.decode("ascii"), zone)
        except (ValueError, OverflowError):  # infinity, years before Christ: as the server writes them
            return text(data)

    def octets(data: bytes) -> Cell:
        return clean_bytes(bytes.fromhex(data[2:].decode("ascii"))) if data.startswith(b"\\x") else text(data)

    return octets if oid == _BYTEA else text if reader is None else read


def seconds_of_interval(text: str) -> float:
    """Seconds of an interval in the style `postgres`; a month counts 30 days, a year 365.25, as `extract` does.

    Raises:
        ValueError: anything else.
    """
    match = _INTERVAL_TEXT.fullmatch(text)
    if match is None or not text:
        raise ValueError(text)
    years, months, days, sign, hours, minutes, seconds = match.groups(default="0")
    clock = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    return int(years) * 365.25 * _DAY + (int(months) * 30 + int(days)) * _DAY + (-clock if sign == "-" else clock)


def _instant(text: str, zone: tzinfo) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


Reader = Callable[[str, tzinfo], Cell]
_READERS: dict[int, Reader] = {
    _INTERVAL: lambda text, _: seconds_of_interval(text),
    _TIMESTAMP: _instant,
    _TIMESTAMPTZ: _instant,
    **dict.fromkeys(_INTEGERS, lambda text, _: int(text)),
    **dict.fromkeys(_FLOATS, lambda text, _: float(text)),
}

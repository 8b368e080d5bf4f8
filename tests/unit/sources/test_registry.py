"""Sources by name: made once, when asked for, and an unknown name says what there is."""

import subprocess
import sys
from pathlib import Path

import pytest

from opsconsole.config.secrets import SecretRef
from opsconsole.config.settings import (
    AlertmanagerSettings,
    Environment,
    PoolerSettings,
    PostgresSettings,
    PrometheusSettings,
    RedisSettings,
)
from opsconsole.core.reading import SourceError
from opsconsole.sources.registry import Sources

POOLER = PoolerSettings(SecretRef.of("postgresql://stats@127.0.0.1:9"))
EVERYTHING = Environment(
    "production",
    Path("screens"),
    Path("runbooks"),
    prometheus=PrometheusSettings("http://127.0.0.1:9"),
    postgres={"app": PostgresSettings("app"), "airflow": PostgresSettings("airflow", pooler=POOLER)},
    redis=RedisSettings(SecretRef.of("redis://127.0.0.1:9")),
)


async def test_alertmanagers_are_the_one_and_the_others_by_name() -> None:
    settings = AlertmanagerSettings("http://127.0.0.1:9")
    one = Environment("e", Path(), Path(), alertmanager=settings)
    assert Sources(one).names() == ("alertmanager",)
    several = Environment("e", Path(), Path(), alertmanager=settings, alertmanagers={"eu": settings, "us": settings})
    sources = Sources(several)
    assert sources.names() == ("alertmanager", "alertmanager/eu", "alertmanager/us")
    assert [sources.get(name).name for name in sources.names()] == list(sources.names())
    with pytest.raises(SourceError, match="not configured"):
        sources.get("alertmanager/asia")


def test_prometheuses_are_the_one_and_the_others_by_name() -> None:
    settings = PrometheusSettings("http://127.0.0.1:9")
    sources = Sources(Environment("e", Path(), Path(), prometheus=settings, prometheuses={"eu": settings}))
    assert sources.names() == ("prometheus", "prometheus/eu")
    assert [sources.get(name).name for name in sources.names()] == list(sources.names())
    with pytest.raises(SourceError, match="not configured"):
        sources.get("prometheus/us")
    further = Sources(Environment("e", Path(), Path(), prometheuses={"eu": settings}))
    with pytest.raises(SourceError, match="not configured"):
        further.get("prometheus")


async def test_each_source_is_made_once() -> None:
    sources = Sources(EVERYTHING)
    assert sources.names() == ("prometheus", "postgres/app", "postgres/airflow", "pgbouncer/airflow", "redis")
    for name in sources.names():
        assert sources.get(name) is sources.get(name)
        assert sources.get(name).name == name
    await sources.close()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("postgres/apps", "did you mean 'postgres/app'?"),
        ("postgres", "configured: prometheus, postgres/app, postgres/airflow, pgbouncer/airflow, redis"),
        ("pgbouncer/app", "did you mean"),
        ("graphite", "configured: prometheus"),
    ],
)
def test_an_unknown_name_says_what_there_is(name: str, hint: str) -> None:
    with pytest.raises(SourceError) as caught:
        Sources(EVERYTHING).get(name)
    assert caught.value.kind == "unsupported"
    assert hint in caught.value.hint
    assert caught.value.message == "not configured in environment production"


def test_nothing_configured() -> None:
    with pytest.raises(SourceError, match="no source is configured"):
        Sources(Environment("empty", Path(), Path())).get("prometheus")


def test_no_client_is_imported_before_it_is_used() -> None:
    """The first paint does not wait for libraries that talk to sources."""
    script = """
import sys
from pathlib import Path
from opsconsole.config.settings import *
from opsconsole.sources.registry import Sources
from opsconsole.config.secrets import SecretRef
sources = Sources(Environment("e", Path(), Path(), prometheus=PrometheusSettings("http://x"),
    alertmanager=AlertmanagerSettings("http://x"),
    postgres={"app": PostgresSettings("app")}, redis=RedisSettings(SecretRef.of("redis://x"))))
for name in sources.names():
    sources.get(name)
import opsconsole.sources.prometheus_sync
heavy = {"httpx", "psycopg", "requests", "prometheus_api_client", "redis", "textual", "ssl_never"} & set(sys.modules)
print(sorted(heavy))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

"""`opsconsole sla metrics` end to end: counted in a real PostgreSQL, scraped by a real Prometheus, which alerts."""

import functools
import http.server
import json
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsconsole.cli.main import main
from opsconsole.config.alerting import Alerting
from opsconsole.config.slas import load_slas
from opsconsole.demo import binaries
from opsconsole.monitoring.objectives import GROUP, with_objectives
from opsconsole.monitoring.recordings import RECORDINGS
from opsconsole.monitoring.rules import rule_file
from opsconsole.monitoring.text import yaml_text
from tests.servers import PostgresServer, WebServer, start_prometheus

DATABASE = "metered"
SPAN = "at >= :'FROM' and at < :'TO'"
# A bill each minute for a day; of the last half hour every second one failed.
MADE = """
create table bills as
select at, at < now() - interval '30 min' or extract(epoch from at)::bigint % 2 = 0 as ok
from generate_series(now() - interval '1 day', now(), '61 s') at;
"""
FILE = f"""\
version: 1
metrics_every: 1m
slas:
  - name: bills
    kind: availability
    objective: 99%
    window: 7d
    sql: {{source: postgres/app, query: "select at, (not ok)::int as bad, 1 as total from bills where {SPAN}"}}
  - name: nobody
    kind: availability
    objective: 99%
    sql: {{source: postgres/gone, query: "select at, 0 as bad, 1 as total from bills where {SPAN}"}}
  - {{name: up, kind: availability, objective: 99%, promql: {{value: up}}}}
"""


class Served:
    """The folder of a text file on loopback HTTP, a Prometheus that scrapes it and has the exported rules, and the
    console's command that writes it."""

    def __init__(self, folder: Path, prometheus: WebServer, config: Path) -> None:
        # Found before a test has a cache of its own, where it would be installed anew.
        self.promtool = str(binaries.find("promtool"))
        self.file, self.prometheus, self.config = folder / "sla.prom", prometheus, config

    def count(self, *arguments: str) -> int:
        return main(["sla", "metrics", *arguments, "--config", str(self.config)])

    def told(self, expr: str) -> list[float]:
        form = urllib.parse.urlencode({"query": expr})
        with urllib.request.urlopen(f"{self.prometheus.url}/api/v1/query?{form}", timeout=10) as answer:
            return [float(one["value"][1]) for one in json.load(answer)["data"]["result"]]

    def wait_for(self, expr: str, *, gone: bool = False) -> list[float]:
        """What Prometheus says, as soon as it says something, or nothing more."""
        deadline = time.monotonic() + 20
        while bool(found := self.told(expr)) == gone:
            assert time.monotonic() < deadline, f"{expr} is {found}"
            time.sleep(0.1)  # between two questions
        return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("metrics")


@pytest.fixture(scope="module")
def scraped(folder: Path) -> Iterator[str]:
    """`host:port` of a server of `folder`."""
    handler = functools.partial(_Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def guess_type(self, path: object) -> str:
        return "text/plain; version=0.0.4"

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def served(postgres: PostgresServer, folder: Path, scraped: str) -> Iterator[Served]:
    postgres.psql(f"create database {DATABASE}")
    postgres.psql(MADE, DATABASE)
    (folder / "slas.yaml").write_text(FILE)
    slas, problems = load_slas(folder / "slas.yaml")
    assert not problems
    alerting = with_objectives(Alerting(interval=1.0), slas)
    for group in (RECORDINGS, GROUP):
        (folder / f"{group}.yml").write_text(yaml_text(rule_file(alerting, group, {}), origin="a test"))
    environment = {
        "slas": "slas.yaml",
        "postgres": {"app": {"dsn": postgres.dsn(DATABASE)}, "gone": {"dsn": "postgresql://nobody@127.0.0.1:9/none"}},
    }
    config = folder / "opsconsole.yaml"
    config.write_text(json.dumps({"version": 1, "environments": {"test": environment}}))
    text = yaml_text(
        {
            "global": {"scrape_interval": "1s"},
            "rule_files": [str(folder / "slo.yml"), str(folder / "sla.yml")],
            "scrape_configs": [
                {"job_name": "node", "metrics_path": "/sla.prom", "static_configs": [{"targets": [scraped]}]}
            ],
        },
        origin="a test",
    )
    with start_prometheus(config=text.replace("{", "{{").replace("}", "}}")) as prometheus:
        yield Served(folder, prometheus, config)
    postgres.psql(f"drop database {DATABASE} with (force)")


def test_what_sql_counts_pages_by_the_exported_rules_and_silence_is_told(
    served: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(served.config.parent / "cache"))
    assert served.count("--textfile", str(served.file)) == 1, "one database does not answer"
    assert "nobody: postgres/gone" in capsys.readouterr().err
    assert [path.name for path in served.file.parent.glob(".*")] == [], "no file half written is left"
    assert served.file.stat().st_mode & 0o777 == 0o644
    text = served.file.read_text()
    assert 'slo="nobody"' not in text, "unknown is not none"
    assert 'slo="up"' not in text, "Prometheus counts that itself"

    slo = '{slo="bills"}'
    assert served.wait_for(f"slo:sli_error:ratio_rate30m{slo}") == pytest.approx([0.5], abs=0.1)
    assert served.wait_for(f"slo:sli_error:ratio_rate1h{slo}") == pytest.approx([0.25], abs=0.05)
    # 15 of a day's 1,416 are bad, 1 % may be.
    bad, total = (
        served.wait_for(f"slo:bad:increase_period{slo}")[0],
        served.wait_for(f"slo:total:increase_period{slo}")[0],
    )
    assert (bad, total) == pytest.approx((15, 1416), abs=2)
    assert served.wait_for(f"slo:period_error_budget_remaining:ratio{slo}") == pytest.approx([1 - bad / total / 0.01])
    page = 'ALERTS{alertname="ErrorBudgetBurn", slo="bills", severity="critical", alertstate="firing", long="1h"}'
    assert served.wait_for(page) == [1.0]
    silent = 'ALERTS{alertname="SlaNotCounted", slo="%s"}'
    assert served.wait_for(silent % "nobody") == [1.0]
    assert served.told(silent % "bills") == []

    # A producer that stopped a while ago: what it wrote then is not what is now.
    old = text.replace(text.rsplit(" ", 1)[1], f"{time.time() - 181:.3f}\n")
    served.file.write_text(old)
    served.wait_for(f"slo:sli_error:ratio_rate1h{slo}", gone=True)
    served.wait_for(page, gone=True)
    assert served.wait_for(silent % "bills") == [1.0]


def test_it_prints_what_promtool_takes(
    served: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(served.config.parent / "cache"))
    assert served.count("bills") == 0
    printed = capsys.readouterr().out
    assert 'opsconsole_sla_events{slo="bills",window="period"} 14' in printed
    checked = subprocess.run(
        [served.promtool, "check", "metrics"], input=printed, capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")
    assert served.count("--textfile", "/nowhere/x.prom", "bills") == 2
    assert "/nowhere/x.prom cannot be written: No such file or directory" in capsys.readouterr().err

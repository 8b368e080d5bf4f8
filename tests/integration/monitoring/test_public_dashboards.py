"""All public dashboards that there are: none is refused, and the panels that ask Prometheus arrive."""

import pytest

from tests.unit.monitoring.test_grafana_robust import USABLE, imported_share, public_dashboards


def test_all_public_dashboards_arrive_usable() -> None:
    files = public_dashboards()
    if not files:
        pytest.skip("no public dashboards here; OPSCONSOLE_DASHBOARDS names a folder with some")
    usable, asking = imported_share(files)
    print(f"{usable} of {asking} panels with queries for Prometheus arrive usable, {len(files)} dashboards")
    assert usable / asking >= USABLE

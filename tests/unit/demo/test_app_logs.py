"""The logs that the demo's services write: read back as what they tell of."""

import os
import random
import time
from pathlib import Path

from opsconsole.config.errors import FileErrors
from opsconsole.demo import app_logs
from opsconsole.demo.app_logs import USUAL, WHEN_FAILING, AppLog, write_history
from opsconsole.errors.file_logs import FileLogs

DAY = 86_400.0


async def test_what_goes_wrong_for_days_is_old_and_what_a_fault_makes_go_wrong_is_another_kind(tmp_path: Path) -> None:
    now = time.time()
    instances = [("energy-service", "app-1"), ("keycloak", "auth-1"), ("redis", "cache-1")]
    write_history(tmp_path, iter(instances), now)
    assert sorted(os.listdir(tmp_path)) == ["energy-service-app-1.log", "keycloak-auth-1.log"]
    logs = FileLogs(FileErrors("all", ("*.log",), folder=tmp_path), DAY)
    heard = await logs.hear()
    assert {one.type for one in heard.kinds} == {
        "", "psycopg.errors.QueryCanceled", "java.sql.SQLTransientConnectionException",
    }  # fmt: skip
    assert sum(one.count + (one.before or 0) for one in heard.kinds) > 150
    assert heard.covers_from_at is not None
    assert heard.covers_from_at < now - 2 * DAY + 60
    log = AppLog(tmp_path, "energy-service", "app-1")
    for _ in range(3):
        log.write(WHEN_FAILING["energy-service"])
    (new,) = [one for one in (await logs.hear()).kinds if one.type == "psycopg.OperationalError"]
    assert (new.count, new.frame) == (3, "readings.py:load_readings")
    await logs.close()


def test_a_log_that_is_large_is_rotated(tmp_path: Path) -> None:
    log = AppLog(tmp_path, "keycloak", "auth-1")
    log.path.write_bytes(b"x" * (app_logs.LARGEST + 1))
    log.write(USUAL[-1])
    assert log.path.stat().st_size < 2000
    assert (tmp_path / "keycloak-auth-1.log.1").exists()


def test_an_entry_differs_each_time() -> None:
    chance = random.Random(1)
    assert app_logs.entry(USUAL[0], 1.0, chance) != app_logs.entry(USUAL[0], 1.0, chance)

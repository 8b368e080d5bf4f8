"""What a real server has, and what a role may see there."""

from tests.integration.database.conftest import Connect
from tests.servers import PostgresServer


async def test_a_server_says_its_views_settings_and_role(postgres: PostgresServer, asked: Connect) -> None:
    async with asked(postgres.dsn()) as database:
        catalog = await database.catalog()
    assert catalog.has("pg_stat_activity", "leader_pid")
    assert not catalog.has("pg_stat_activity", "no_such")
    assert catalog.version.startswith(str(catalog.version_num // 10000))
    assert catalog.settings["server_encoding"] == "UTF8"
    assert catalog.superuser
    assert "pgstattuple" in catalog.available

"""What the demo writes for the console, for Prometheus and for the supervisor."""

import configparser
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from opsconsole.config.loading import load_settings
from opsconsole.config.services import load_services
from opsconsole.demo import configuration, monitoring
from opsconsole.demo import ports as ports_module
from opsconsole.demo.catalogue import SERVICES, Instance, instances, select
from opsconsole.demo.database import Cluster
from opsconsole.demo.ports import free_ports
from opsconsole.demo.programs import Binaries, Folders, Ports, plan, port_names, present, programs, targets
from opsconsole.demo.supervision import Program
from opsconsole.demo.supervision import configuration as supervisord_conf

EVERYTHING = Binaries(*(Path(f"/bin/{name}") for name in "abcdef"))
LEAST = Binaries(Path("/bin/a"), Path("/bin/b"), Path("/bin/c"), None, None, None)
FOLDERS = Folders(Path("/state/demo"), Path("/tmp/run"))


def ports(found: Binaries) -> Ports:
    return Ports({name: 20_000 + number for number, name in enumerate(port_names(found))})


def cluster(found: Binaries) -> Cluster:
    return Cluster(Path("/pg/bin"), Path("/tmp/run/pg"), ports(found)["postgres/db-1"], Path("/state dir/pgpass"), None)


def test_the_console_accepts_what_is_written_for_it(tmp_path: Path) -> None:
    control = tmp_path / "control"
    content = configuration.opsconsole_yaml(
        "http://127.0.0.1:1", "http://127.0.0.1:2", {"app": cluster(LEAST).dsn("app")}, "redis://127.0.0.1:3/0", control
    )
    monitoring.write_yaml(tmp_path / "opsconsole.yaml", content, comment="a\nb")
    services = configuration.services_yaml([service.name for service in SERVICES], control)
    monitoring.write_yaml(tmp_path / "services.yaml", services)
    settings = load_settings(tmp_path / "opsconsole.yaml")
    assert settings.warnings == ()
    environment = settings.environment
    assert (environment.name, environment.mode, environment.banner) == ("demo", "guarded", "blue")
    assert environment.env["OPS_AIRFLOW"].resolve().reveal() == str(control.with_name("airflow"))
    assert environment.services is not None
    read, problems = load_services(environment.services)
    assert problems == []
    assert [one.name for one in read] == [service.name for service in SERVICES]
    assert all(one.restart == (str(control), "restart", one.name, "{instance}") for one in read)
    assert read[0].restart == (str(control), "restart", "energy-service", "{instance}")


def test_a_service_that_is_not_there_is_not_depended_on() -> None:
    services = configuration.services_yaml(["nginx", "keycloak"], Path("control"))["services"]
    assert services["nginx"]["depends_on"] == ["keycloak"]


def test_files_with_addresses_of_databases_are_private(tmp_path: Path) -> None:
    path = tmp_path / "opsconsole.yaml"
    monitoring.write_yaml(path, {"version": 1})
    assert path.stat().st_mode & 0o077 == 0


def test_a_connection_string_names_the_password_file_and_no_password() -> None:
    dsn = cluster(LEAST).dsn("app", "etl")
    port = ports(LEAST)["postgres/db-1"]
    assert dsn == f"postgresql://etl@127.0.0.1:{port}/app?passfile=/state%20dir/pgpass"


@pytest.mark.parametrize("found", [EVERYTHING, LEAST], ids=["everything", "least"])
def test_every_instance_is_scraped_under_its_name(found: Binaries) -> None:
    places = targets(found, ports(found))
    assert set(places) == set(present(found))
    text: Any = monitoring.prometheus(places, 9, Path("rules.yml"))
    scraped = {
        (job["job_name"], group["labels"]["instance"])
        for job in text["scrape_configs"]
        for group in job["static_configs"]
    }
    assert scraped == {(one.service, one.name) for one in present(found)}
    assert all(
        target.startswith("127.0.0.1:")
        for job in text["scrape_configs"]
        for group in job["static_configs"]
        for target in group["targets"]
    )


def test_without_redis_there_is_no_redis() -> None:
    assert "redis/cache-1" not in ports(LEAST).by_name
    assert "redis" not in plan(FOLDERS, ports(LEAST), cluster(LEAST))["ports"]
    assert "redis-cache-1" not in {one.name for one in programs(LEAST, FOLDERS, ports(LEAST), cluster(LEAST), "pw")}


@pytest.mark.parametrize("found", [EVERYTHING, LEAST], ids=["everything", "least"])
def test_every_instance_is_a_program_and_everything_listens_on_loopback(found: Binaries) -> None:
    wanted = programs(found, FOLDERS, ports(found), cluster(found), "pw")
    names = [one.name for one in wanted]
    assert len(names) == len(set(names))
    assert {one.unit for one in present(found)} <= set(names)
    for program in wanted:
        assert not any("0.0.0.0" in word or word.startswith(":") for word in program.argv), program
    for server in ("prometheus-mon-1", "alertmanager-mon-1"):
        argv = next(one.argv for one in wanted if one.name == server)
        assert any(word.startswith("--web.listen-address=127.0.0.1:") for word in argv)


def test_the_plan_is_plain_json() -> None:
    given = plan(FOLDERS, ports(EVERYTHING), cluster(EVERYTHING))
    assert json.loads(json.dumps(given)) == given


def test_supervisord_conf_survives_percent_signs_and_spaces() -> None:
    program = Program("a", ["/bin/100%/x y", "--flag=a b"], {"KEY": "50%"})
    text = supervisord_conf([program], socket_path=Path("/tmp/s"), logs=Path("/l%g"), folder=Path("/f"), root=True)
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    assert parser["program:a"]["command"] == "'/bin/100%%/x y' '--flag=a b'"
    assert parser["program:a"]["environment"] == 'KEY="50%%"'
    assert parser["supervisord"]["user"] == "root"
    assert parser["program:a"]["autostart"] == "false"


def test_an_environment_that_the_file_cannot_carry_is_refused() -> None:
    program = Program("a", ["/bin/x"], {"KEY": 'a"b'})
    with pytest.raises(ValueError, match="quotes"):
        supervisord_conf([program], socket_path=Path("s"), logs=Path("l"), folder=Path("f"), root=False)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("energy-service", ["app-1", "app-2"]),
        ("energy-service/app-2", ["app-2"]),
        ("energy-service app-2", ["app-2"]),
        ("energy-service-app-2", ["app-2"]),
    ],
)
def test_a_service_is_named_in_several_ways(target: str, expected: list[str]) -> None:
    assert [one.name for one in select(target)] == expected


@pytest.mark.parametrize("target", ["", "energy", "energy-service/app-9", "energy-service/", "/app-1"])
def test_what_has_no_name_is_not_guessed(target: str) -> None:
    if target == "energy-service/":
        assert len(select(target)) == 2
        return
    with pytest.raises(KeyError):
        select(target)


def test_ports_are_free_and_outside_of_what_the_kernel_gives_to_clients() -> None:
    chosen = free_ports(20)
    assert len(set(chosen)) == 20
    ephemeral = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    for port in chosen:
        assert 1024 < port < max(ephemeral, 15_200)
        with socket.create_server(("127.0.0.1", port)):
            assert not ports_module._is_free(port)


def test_units_are_unambiguous() -> None:
    units = [one.unit for one in instances()]
    assert len(units) == len(set(units))
    assert str(Instance("a", "b")) == "a/b"

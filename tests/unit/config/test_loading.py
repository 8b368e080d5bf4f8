"""From `opsconsole.yaml`, or from the environment, to settings; and what is said when they are wrong."""

# ruff: noqa: E501  messages stand here as they are printed, on one line

import json
from pathlib import Path

import pytest

from opsconsole.config.airflow_metrics import AirflowMetrics
from opsconsole.config.loading import find_config, load_settings, settings_for, settings_from_environment
from opsconsole.config.secrets import SecretRef
from opsconsole.config.services import load_services
from opsconsole.config.settings import AirflowSettings, Mode, Role, Settings
from opsconsole.core.content import shipped_content
from opsconsole.core.problem import ContentError

WHOLE = """\
version: 1
default_environment: production
environments:
  production:
    banner: red
    mode: read-only
    prometheus: {url: "http://prometheus:9090/prom/", timeout: 7s, headers: {X-Scope-OrgID: 007}, bearer_token: {file: prom}}
    alertmanager: {url: "http://bob:s3cret@alertmanager:9093"}
    postgres:
      app: {dsn: "postgresql://ops@db.internal/app", statement_timeout: 2s}
      airflow: {dsn: "service=airflow_meta", pooler: {dsn: "postgresql://stats@db:6432", password: {file: stats}, timeout: 3s}}
    airflow: {url: "http://airflow:8080", username: ops, password: {env: AIRFLOW_PASSWORD}, metadata: airflow}
    redis: {url: "redis://cache:6379/0"}
    services: services.yaml
    slas: slas.yaml
    screens: ../screens
    env: {KUBECONFIG: /etc/kube, TOKEN: {env: OPS_TOKEN}}
  staging: {mode: open}
store: {url: "postgresql://ops@db/opsconsole"}
theme: light
keys: {refresh: [f5, r], quit: Q}
roles: {viewer: ["*"], operator: ["%ops"], admin: [alice]}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config" / "opsconsole.yaml"
    path.parent.mkdir()
    path.write_text(WHOLE)
    return path


def problems(file: Path, text: str) -> list[str]:
    file.write_text(text)
    with pytest.raises(ContentError) as caught:
        load_settings(file)
    return [str(problem).removeprefix(f"{file}:") for problem in caught.value.problems]


def test_the_whole_format_becomes_settings(file: Path) -> None:
    settings = load_settings(file)
    production = settings.environment
    assert (production.name, production.banner, production.mode) == ("production", "red", Mode.READ_ONLY)
    prometheus = production.prometheus
    assert prometheus is not None
    assert (prometheus.url, prometheus.timeout) == ("http://prometheus:9090/prom", 7.0)
    assert prometheus.headers["X-Scope-OrgID"].reveal() == "007"
    assert prometheus.bearer_token is not None
    assert prometheus.bearer_token.file == file.parent / "prom"
    assert {name: database.dsn.reveal() for name, database in production.postgres.items()} == {
        "app": "postgresql://ops@db.internal/app",
        "airflow": "service=airflow_meta",
    }
    assert production.postgres["app"].statement_timeout == 2.0
    assert production.postgres["app"].pooler is None
    pooler = production.postgres["airflow"].pooler
    assert pooler is not None
    assert (pooler.dsn.reveal(), pooler.timeout) == ("postgresql://stats@db:6432", 3.0)
    assert pooler.password is not None
    assert pooler.password.file == file.parent / "stats"
    assert production.airflow is not None
    assert production.airflow.metadata == "airflow"
    assert production.services == file.parent / "services.yaml"
    assert production.screens == file.parent.parent / "screens"
    assert production.runbooks == shipped_content() / "runbooks"
    assert production.env["TOKEN"].describe() == "$OPS_TOKEN"
    assert settings.environments["staging"].mode is Mode.OPEN
    assert settings.store_url.reveal() == "postgresql://ops@db/opsconsole"
    assert (settings.theme, settings.keys) == ("light", {"refresh": ("f5", "r"), "quit": ("Q",)})


def test_alertmanagers_by_name_stand_beside_the_one_without(tmp_path: Path) -> None:
    path = tmp_path / "opsconsole.yaml"
    path.write_text(
        'version: 1\nenvironments: {a: {alertmanager: {url: "http://one:9093"}, '
        'alertmanagers: {eu: {url: "http://u:p@eu:9093/am/", timeout: 2s}}}}\n'
    )
    found = load_settings(path).environment.every_alertmanager
    assert {name: (one.url, one.username, one.timeout) for name, one in found.items()} == {
        "alertmanager": ("http://one:9093", "", 5.0),
        "alertmanager/eu": ("http://eu:9093/am", "u", 2.0),
    }


def test_prometheuses_by_name_stand_beside_the_one_without(tmp_path: Path) -> None:
    path = tmp_path / "opsconsole.yaml"
    path.write_text(
        'version: 1\nenvironments: {a: {prometheus: {url: "http://one:9090"}, '
        'prometheuses: {eu: {url: "http://u:p@eu:9090/p/", max_concurrency: 2}}}}\n'
    )
    settings = load_settings(path)
    found = settings.environment.every_prometheus
    assert {name: (one.url, one.username, one.max_concurrency) for name, one in found.items()} == {
        "prometheus": ("http://one:9090", "", 4),
        "prometheus/eu": ("http://eu:9090/p", "u", 2),
    }
    assert "literal-secret" in [one.code for one in settings.warnings]


def test_a_password_in_a_url_is_used_but_earns_a_warning_and_is_not_shown(file: Path) -> None:
    settings = load_settings(file)
    alertmanager = settings.environment.alertmanager
    assert alertmanager is not None
    assert (alertmanager.url, alertmanager.username) == ("http://alertmanager:9093", "bob")
    assert alertmanager.password is not None
    assert alertmanager.password.reveal() == "s3cret"
    found = [(problem.line, problem.code) for problem in settings.warnings]
    assert (8, "literal-secret") in found
    assert [line for line, code in found if code == "plain-text-secret"] == [7, 8, 12]
    assert "s3cret" not in repr(settings)


def test_a_pooler_is_told_its_mistakes_like_a_database(file: Path) -> None:
    found = problems(
        file,
        """\
version: 1
environments:
  a:
    postgres:
      app: {dsn: "service=app", pooler: {host: db, password: 7, timeout: 1h}}
      etl: {dsn: "service=etl", pooler: "postgresql://db"}
""",
    )
    assert [(one.split(" ")[0], one.rpartition("[")[2]) for one in found] == [
        ("5:41:", "missing-key]"),
        ("5:42:", "unknown-key]"),
        ("5:62:", "wrong-type]"),
        ("5:74:", "out-of-range]"),
        ("6:41:", "wrong-type]"),
    ]


def test_every_problem_of_a_file_is_told_at_once_where_it_is(file: Path) -> None:
    assert problems(
        file,
        """\
version: 2
default_environment: prodction
environments:
  production:
    banner: crimson
    mode: gaurded
    promethues: {url: "http://h:9090"}
    prometheus: {url: "h:9090", timeout: 5, bearer_token: t0p-secret, username: bob}
    postgres:
      app: {dsn: "postgresql://ops:t0p-secret@db/app", statement_timout: 5s}
      two: {dsn: "nonsense"}
    airflow: {url: "http://a:8080", metadata: ap}
    env: {"A-B": x}
store: {url: "mysql://db"}
roles: {operator: ["%ops"], admin: alice, owner: []}
""",
    ) == [
        "1:10: error: version: 2 is newer than this opsconsole knows; expected 1 [bad-version]",
        "2:22: error: default_environment: 'prodction' is not under environments; did you mean 'production'? [unknown-name]",
        "5:13: error: banner: 'crimson'; expected red, orange, yellow, green, cyan, blue, magenta, grey, none or #rrggbb [bad-choice]",
        "6:11: error: mode: 'gaurded'; expected read-only, guarded or open; did you mean 'guarded'? [bad-choice]",
        "7:5: error: unknown key 'promethues'; did you mean 'prometheus'? [unknown-key]",
        "8:23: error: url: does not start with http:// or https://; expected a URL such as http://127.0.0.1:9090 [bad-url]",
        "8:42: error: timeout: 5; expected a duration with its unit, such as 5s [bad-duration]",
        "8:59: warning: bearer_token: a secret in plain text; better {env: NAME}, {file: PATH} or {command: [..]} [literal-secret]",
        "8:71: error: prometheus: bearer_token and username together; expected one of them [exclusive-keys]",
        "10:18: warning: dsn: holds a password in plain text; better in ~/.pgpass, a service file, or {env: NAME} [literal-secret]",
        "10:56: error: unknown key 'statement_timout'; did you mean 'statement_timeout'? [unknown-key]",
        "11:18: error: dsn: neither a URL nor key=value text; expected a URL such as postgresql://ops@db/app, key=value text such as service=app, or {env: NAME} [bad-dsn]",
        "12:47: error: metadata: 'ap' is no database under postgres; did you mean 'app'? [unknown-name]",
        "13:11: error: 'A-B' as a name; expected the name of an environment variable [bad-name]",
        "14:14: error: url: does not start with postgresql:// or postgres://; expected a URL such as postgresql://ops@db/app [bad-url]",
        "15:36: error: admin: 'alice'; expected a list of user names and %groups [wrong-type]",
        "15:43: error: unknown key 'owner'; known are viewer, operator, admin [unknown-key]",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "0:0"),
        ("- a\n", "1:1: error: the file: a list; expected a mapping with version and environments"),
        ("version: 1\n", "1:1: error: the file: key 'environments' is missing; expected a mapping of names"),
        ("version: 1\nenvironments: {}\n", "2:15: error: environments: none; expected at least one"),
        ("version: 1\nenvironments: {a: {}, b: {}}\n", "1:1: error: key 'default_environment' is missing"),
        ("version: 1\nenvironments:\n  a:\n", "3:5: error: a: nothing; expected a mapping with prometheus"),
    ],
)  # fmt: skip
def test_what_is_too_little(file: Path, text: str, expected: str) -> None:
    found = problems(file, text)
    assert found[0].startswith(expected) or text == ""
    assert len(found) == 1


@pytest.mark.parametrize(
    "dsn",
    ["", "service=app", "host=/run/postgresql dbname='my app'", "postgresql:///app", "postgresql://a:1,b:2/app",
     "postgres://u@[::1]:5433/app?sslmode=require", "postgresql://%2Frun%2Fpostgresql/app"],
)  # fmt: skip
def test_connection_strings_that_libpq_takes(file: Path, dsn: str) -> None:
    file.write_text(f"version: 1\nenvironments: {{a: {{postgres: {{app: {{dsn: {json.dumps(dsn)}}}}}}}}}\n")
    assert load_settings(file).environment.postgres["app"].dsn.reveal() == dsn


@pytest.mark.parametrize(
    ("user", "groups", "role"),
    [("alice", [], Role.ADMIN), ("bob", ["staff", "ops"], Role.OPERATOR), ("carol", [], Role.VIEWER), ("ops", [], Role.VIEWER)],
)  # fmt: skip
def test_the_highest_role_counts(file: Path, user: str, groups: list[str], role: Role) -> None:
    assert load_settings(file).roles.role_of(user, groups) is role


def test_without_roles_everybody_is_admin_and_a_stranger_to_roles_is_viewer(file: Path) -> None:
    assert settings_for("http://h").roles.role_of("anybody", []) is Role.ADMIN
    file.write_text(WHOLE.replace('viewer: ["*"], ', ""))
    assert load_settings(file).roles.role_of("carol", []) is Role.VIEWER


def test_settings_from_environment_variables() -> None:
    assert settings_from_environment({"PGUSER": "me", "PGPORT": "1"}) is None
    settings = settings_from_environment({"PROMETHEUS_URL": "http://h:9090/", "PGHOST": "db"})
    assert isinstance(settings, Settings)
    environment = settings.environment
    assert environment.prometheus is not None
    assert environment.prometheus.url == "http://h:9090"
    assert environment.postgres["app"].dsn.reveal() == ""
    with pytest.raises(ContentError, match="PROMETHEUS_URL: does not start with http://"):
        settings_from_environment({"PROMETHEUS_URL": "localhost:9090"})


def test_the_search_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    monkeypatch.delenv("OPSCONSOLE_CONFIG", raising=False)
    assert find_config() is None
    own = tmp_path / "xdg" / "opsconsole" / "opsconsole.yaml"
    own.parent.mkdir(parents=True)
    own.write_text(WHOLE)
    assert find_config() == own
    here = Path("config/opsconsole.yaml")
    here.parent.mkdir()
    here.write_text(WHOLE)
    assert find_config() == here
    monkeypatch.setenv("OPSCONSOLE_CONFIG", "/named/by/variable.yaml")
    assert find_config() == Path("/named/by/variable.yaml")
    assert find_config("/named/by/option.yaml") == Path("/named/by/option.yaml")


def test_a_file_of_the_working_directory_that_anybody_can_write_is_not_taken_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPSCONSOLE_CONFIG", raising=False)
    here = Path("config/opsconsole.yaml")
    here.parent.mkdir()
    here.write_text(WHOLE)
    here.chmod(0o666)
    with pytest.raises(ContentError, match=r"can be written by everybody.*--config config/opsconsole\.yaml"):
        find_config()
    assert find_config(here) == here


def test_services_are_read_and_their_dependencies_checked(tmp_path: Path) -> None:
    file = tmp_path / "services.yaml"
    file.write_text(
        "version: 1\nservices:\n"
        "  api: {title: API, kind: api, restart: [systemctl, restart, api], timeout: 2m, depends_on: [db, chache]}\n"
        "  db: {depends_on: [cache]}\n"
        "  cache: {kind: cahce, depends_on: [db]}\n"
    )
    services, problems = load_services(file)
    assert [service.name for service in services] == ["api", "db", "cache"]
    assert (services[0].restart, services[0].timeout, services[0].line) == (("systemctl", "restart", "api"), 120.0, 3)
    assert [str(problem).removeprefix(f"{file}:") for problem in problems] == [
        "3:98: error: depends_on: no service 'chache'; did you mean 'cache'? [unknown-name]",
        "5:17: error: kind: 'cahce'; expected api, web, proxy, identity, database, cache, queue, scheduler, worker, cdn, job or other; did you mean 'cache'? [bad-choice]",
        "5:24: error: depends_on: cache → db → cache is a circle [cycle]",
    ]


def test_the_shipped_configuration_is_valid() -> None:
    settings = load_settings(shipped_content() / "config" / "opsconsole.yaml")
    assert settings.warnings == ()
    assert settings.environment.services is not None
    services, problems = load_services(settings.environment.services)
    assert (len(services) > 5, problems) == (True, [])


def test_an_airflow_has_a_token_by_any_name_or_only_its_database(tmp_path: Path) -> None:
    def airflow(text: str) -> AirflowSettings:
        (tmp_path / "opsconsole.yaml").write_text(
            "version: 1\nenvironments:\n  a:\n    postgres: {meta: {dsn: dbname=meta}}\n    airflow: " + text
        )
        found = load_settings(tmp_path / "opsconsole.yaml").environment.airflow
        assert found is not None
        return found

    token = airflow("{url: 'http://a:8080', token: {env: AIRFLOW_TOKEN}}").bearer_token
    assert token == SecretRef(env="AIRFLOW_TOKEN")
    command = airflow("{url: 'http://a:8080', token_command: [cloud, token]}").bearer_token
    assert command == SecretRef(command=("cloud", "token"))
    alone = airflow("{metadata: meta}")
    assert (alone.url, alone.metadata, alone.timeout) == ("", "meta", 15.0)
    for wrong, code in (
        ("{timeout: 5s}", "missing-key"),
        ("{url: 'https://a', token: {env: A}, username: b}", "exclusive-keys"),
    ):
        with pytest.raises(ContentError) as caught:
            airflow(wrong)
        assert [one.code for one in caught.value.problems] == [code]


_METRICS = "version: 1\nenvironments:\n  a:\n    airflow:\n      url: http://a:8080\n      metrics: "


def test_the_metrics_of_an_airflow_are_a_profile_or_what_differs_from_one(file: Path) -> None:
    def metrics(text: str) -> AirflowMetrics:
        file.write_text(_METRICS + text)
        found = load_settings(file).environment.airflow
        assert found is not None
        return found.metrics

    assert metrics("otel") == AirflowMetrics("otel")
    said = metrics("{profile: mixin, prefix: af, names: {run_failed: bad}, labels: {dag: d}, match: {ns: 1}, unit: ms}")
    assert said == AirflowMetrics("mixin", "af", {"run_failed": "bad"}, {"dag": "d"}, {"ns": "1"}, "ms")
    assert metrics("{durations: latest}").profile == ""  # found out


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("helm", "6:16: error: metrics: 'helm'; expected helm-statsd, mixin, statsd-exporter or otel"),
        ("{profil: otel}", "6:17: error: unknown key 'profil'; did you mean 'profile'?"),
        ("{names: {runs_failed: a}}", "6:25: error: unknown key 'runs_failed'; did you mean 'run_failed'?"),
        ("{names: {run_failed: 'a or b'}}", "6:37: error: run_failed: 'a or b'; expected the name of a metric"),
        ("{names: {run_failed: 'a{b=\"}'}}", "6:37: error: run_failed: 'a{b=\"}'; expected the name of a metric"),
        ("{profile: custom}", "6:26: error: profile: custom without names"),
    ],
)
def test_what_is_wrong_with_names_of_metrics_is_told_where_it_stands(file: Path, text: str, expected: str) -> None:
    (said,) = problems(file, _METRICS + text)
    assert said.startswith(expected)

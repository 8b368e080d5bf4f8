"""The pages of pipelines, of one DAG and of one run, in the order of their tabs."""

from opsconsole.ui.pages.page import PageSpec


def _spec(name: str, title: str, made_by: str, *about: str) -> PageSpec:
    return PageSpec(name, title, f"opsconsole.ui.pipelines.{made_by}", about)


PAGES = (
    _spec("dags", "DAGs", "dags:DagsPage"),
    _spec("sla", "SLA", "promised:PromisedPage"),
    _spec("failures", "Failures", "failed:FailedPage"),
    _spec("dependencies", "Dependencies", "tied:TiedPage"),
    _spec("imports", "Import errors", "imports:ImportsPage"),
    _spec("parts", "Components", "parts:PartsPage"),
    _spec("pools", "Pools", "pools:PoolsPage"),
)


def pages_of_dag(dag_id: str) -> tuple[PageSpec, ...]:
    """Those of one DAG."""
    return (
        _spec("runs", "Runs", "runs:RunsPage", dag_id),
        _spec("trends", "Trends", "trending:TrendsPage", dag_id),
        _spec("dependencies", "Dependencies", "tied:TiedPage", dag_id),
    )


def pages_of_run(dag_id: str, run_id: str) -> tuple[PageSpec, ...]:
    """Those of one run."""
    return (
        _spec("tasks", "Tasks", "tasks:TasksPage", dag_id, run_id),
        _spec("advice", "Advice", "advised:AdvisedPage", dag_id, run_id),
    )

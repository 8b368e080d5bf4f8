"""Trees and cycles from the edges between sessions."""

from dataclasses import replace

from opsconsole.cli.db.locks import lines
from opsconsole.database.blocking import Root, Waiter, blocking_graph
from opsconsole.database.sessions import Activity, Session, under_leaders

SOMEBODY = Session(
    pid=0, backend_start="", kind="client backend", leader=None, state="active", wait_type="", wait="", database="app",
    role="etl", application="", client="", query="", query_id="", query_seconds=5.0, transaction_seconds=9.0,
    state_seconds=1.0, xmin_age=None, ours=False,
)  # fmt: skip


def activity(*pids: int, leaders: dict[int, int] | None = None) -> Activity:
    led = leaders or {}
    return Activity(under_leaders(replace(SOMEBODY, pid=pid, leader=led.get(pid)) for pid in pids), 0.0)


def waiter(pid: int, *blockers: str, seconds: float | None = 1.0) -> Waiter:
    return Waiter(pid, blockers, seconds, "ShareLock on transactionid")


def shape(root: Root) -> list[tuple[str, str]]:
    return [(one.node, one.under) for one in root.members]


def test_nobody_waits() -> None:
    graph = blocking_graph((), activity(1, 2))
    assert (graph.roots, graph.cycles) == ((), ())


def test_the_root_that_holds_up_most_stands_first() -> None:
    graph = blocking_graph(
        (waiter(2, "1"), waiter(3, "2", seconds=60.0), waiter(4, "2"), waiter(6, "5")), activity(*range(1, 7))
    )
    assert [root.top.node for root in graph.roots] == ["1", "5"]
    assert shape(graph.roots[0]) == [("1", ""), ("2", "1"), ("3", "2"), ("4", "2")]
    assert [one.goes_on for one in graph.roots[0].members] == [(), (False,), (False, True), (False, False)]
    assert graph.roots[0].frees == 3
    assert graph.roots[0].effect == "ending 1 frees 3 sessions; the longest has waited 1m"


def test_one_that_waits_for_two_is_shown_with_both_and_freed_by_neither() -> None:
    graph = blocking_graph((waiter(3, "1", "2"), waiter(4, "1")), activity(1, 2, 3, 4))
    assert {root.top.node: (len(root.members), root.frees) for root in graph.roots} == {"1": (3, 1), "2": (2, 0)}
    assert graph.roots[1].effect == "ending 2 alone frees nobody: who waits for it waits for others, too"


def test_one_that_waits_in_a_queue_is_freed_when_those_before_it_are() -> None:
    (root,) = blocking_graph((waiter(2, "1"), waiter(3, "1", "2")), activity(1, 2, 3)).roots
    assert root.frees == 2


def test_a_cycle_is_told_in_the_order_of_the_waiting() -> None:
    graph = blocking_graph((waiter(1, "3"), waiter(3, "2"), waiter(2, "1")), activity(1, 2, 3))
    assert graph.cycles == (("1", "3", "2"),)


def test_a_holder_that_is_gone_is_still_shown() -> None:
    (root,) = blocking_graph((waiter(2, "1"),), activity(2)).roots
    assert (root.top.node, root.top.session) == ("1", None)


def test_a_parallel_worker_counts_as_its_leader() -> None:
    graph = blocking_graph((waiter(11, "1"), waiter(12, "1", "10"), waiter(2, "12")), activity(
        1, 2, 10, 11, 12, leaders={11: 10, 12: 10}
    ))  # fmt: skip
    assert [shape(root) for root in graph.roots] == [[("1", ""), ("10", "1"), ("2", "10")]]
    assert graph.roots[0].frees == 2


def test_cycles_have_no_root_and_those_behind_them_are_not_lost() -> None:
    graph = blocking_graph((waiter(1, "2"), waiter(2, "3"), waiter(3, "1"), waiter(4, "3")), activity(1, 2, 3, 4))
    assert graph.cycles == (("1", "2", "3"),)
    assert graph.roots == ()
    assert [one.pid for one in graph.behind_cycles] == [4]


def test_where_the_server_does_not_say_since_when_the_statement_is_the_bound() -> None:
    (root,) = blocking_graph((waiter(2, "1", seconds=None),), activity(1, 2)).roots
    assert root.longest_seconds == 5.0


def test_a_chain_of_a_thousand_is_no_trouble() -> None:
    chain = tuple(waiter(pid, str(pid - 1)) for pid in range(1, 1001))
    (root,) = blocking_graph(chain, activity(*range(1001))).roots
    assert root.frees == 1000


def test_the_tree_can_be_drawn_in_ascii() -> None:
    graph = blocking_graph((waiter(2, "1"), waiter(3, "2"), waiter(4, "1"), waiter(5, "4")), activity(*range(1, 6)))
    drawn = [line.partition("  active")[0] for line in lines(graph)][:-1]
    assert drawn == ["1", "├ 2", "│ └ 3", "└ 4", "  └ 5"]
    plain = [line.partition("  active")[0] for line in lines(graph, ascii_only=True)][:-1]
    assert plain == ["1", "|- 2", "|  `- 3", "`- 4", "   `- 5"]

"""Who feeds whom: the tree of DAGs and assets, what lies around one DAG, and what waits for what."""

from opsconsole.pipelines.dependencies import Feed, around, feeds, starts, tree, waiting
from opsconsole.pipelines.model import Asset, Awaited, Lineage, Queued


def asset(name: str, producers: str = "", consumers: str = "") -> Asset:
    return Asset(name, f"s3://{name}", tuple((one, "t") for one in producers.split()), tuple(consumers.split()))


RAW, TARIFFS, WEATHER = (Awaited("asset", name=one, uri=f"s3://{one}") for one in ("raw", "tariffs", "weather"))
CHAIN = Lineage(
    (
        asset("raw", "ingest", "clean report"),
        asset("tidy", "clean", "report"),
        asset("feed", "", "ingest"),
        asset("other", "alone", ""),
    ),
    (Queued("report", "s3://raw", 50.0),),
)


def drawn(lineage: Lineage) -> list[str]:
    return [
        "  " * one.depth + (one.asset.name if one.asset else one.dag_id.upper()) + (" ..." if one.again else "")
        for one in tree(lineage)
    ]


def test_the_tree_goes_from_what_nobody_feeds_to_what_feeds_nobody() -> None:
    assert drawn(CHAIN) == [
        "feed", "  INGEST", "    raw", "      CLEAN", "        tidy", "          REPORT", "      REPORT", "ALONE",
        "  other",
    ]  # fmt: skip


def test_circles_end_and_what_was_shown_is_not_shown_again() -> None:
    circle = Lineage((asset("a", "one", "two"), asset("b", "two", "one")))
    assert drawn(circle) == ["ONE", "  a", "    TWO", "      b", "        ONE ..."]
    assert len({one.key for one in tree(circle)}) == 5  # every row has a key of its own


def test_a_chain_of_any_length_is_drawn_as_deep_as_one_can_read() -> None:
    chain = Lineage(tuple(asset(f"a{n:04}", f"d{n:04}", f"d{n + 1:04}") for n in range(2000)))
    found = tree(chain)
    assert 200 <= max(one.depth for one in found) <= 204
    assert {one.dag_id for one in found if one.dag_id} == {f"d{n:04}" for n in range(2001)}


def test_around_a_dag_is_what_feeds_it_and_what_it_feeds_but_not_its_siblings() -> None:
    assert [one.name for one in around(CHAIN, "clean").assets] == ["raw", "tidy", "feed"]
    assert [one.name for one in around(CHAIN, "alone").assets] == ["other"]
    assert around(CHAIN, "nobody").assets == ()


def test_pairs_are_named_once() -> None:
    assert feeds(CHAIN) == [
        Feed("clean", "report", "tidy"),
        Feed("ingest", "clean", "raw"),
        Feed("ingest", "report", "raw"),
    ]


def test_what_waits_says_for_what_and_who_would_bring_it() -> None:
    (one,) = waiting(CHAIN)
    assert (one.dag_id, one.since_at) == ("report", 50.0)
    assert one.reason == "has 1 of 2; waits for tidy (from clean)"
    (done,) = waiting(Lineage((asset("feed", "", "ingest"),), (Queued("ingest", "s3://feed"),)))
    assert done.reason == "enough of its assets are updated: its run should begin"


EITHER = Lineage(
    (asset("raw", "ingest", "report"), asset("tariffs", "", "report"), asset("weather", "", "report")),
    (Queued("report", "s3://raw", 50.0),),
    {"report": Awaited("all", (RAW, Awaited("any", (TARIFFS, WEATHER))))},
)


def test_of_alternatives_only_one_has_to_arrive() -> None:
    (waits,) = waiting(EITHER)
    assert waits.reason == "has 1 of 3; waits for any of tariffs (from outside), weather (from outside)"
    both = Lineage(EITHER.assets, (Queued("report", "s3://raw"), Queued("report", "s3://weather")), EITHER.awaited)
    (done,) = waiting(both)
    assert done.reason == "enough of its assets are updated: its run should begin"
    late = Lineage(EITHER.assets, (Queued("report", "s3://weather"),), EITHER.awaited)
    assert waiting(late)[0].reason == "has 1 of 3; waits for raw (from ingest)"


def test_who_feeds_whom_says_whether_that_alone_is_enough() -> None:
    assert feeds(EITHER) == [Feed("ingest", "report", "raw", enough=False)]
    any_of = Lineage(EITHER.assets, (), {"report": Awaited("any", (RAW, TARIFFS))})
    assert feeds(any_of) == [Feed("ingest", "report", "raw", enough=True)]
    assert starts(any_of, "report") == "any of raw, tariffs"
    assert starts(EITHER, "report") == "all of raw, (any of tariffs, weather)"
    assert starts(EITHER, "ingest") == ""


def test_an_asset_that_is_referred_to_by_its_name_is_the_one_that_was_updated() -> None:
    by_name = Awaited("all", (Awaited("asset", name="raw"), Awaited("asset", name="tariffs")))
    named = Lineage(
        EITHER.assets, (Queued("report", "s3://raw"), Queued("report", "s3://tariffs")), {"report": by_name}
    )
    assert waiting(named)[0].still is None
    half = Lineage(EITHER.assets, (Queued("report", "s3://raw"),), {"report": by_name})
    assert [one.name for one in waiting(half)[0].lacks] == ["tariffs"]

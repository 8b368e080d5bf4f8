"""Variables in queries: what they expand to, and that no value can be more than a value."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from opsconsole.core.reading import Query
from opsconsole.core.values import Sample, Table, Vector
from opsconsole.screens.definition import Screen, Variable
from opsconsole.screens.interpolation import ALL, Selection, array_literal, interpolate
from opsconsole.screens.variables import (
    chosen,
    default_selections,
    label_values,
    natural,
    options,
    options_query,
    sql_binds,
    used_in,
)
from opsconsole.sources.promqltext import regex_escaped

ONE = Selection(("energy-service",))
TWO = Selection(("app.1", "app|2"))
hostile = st.text(min_size=1).filter(lambda text: not any("\ud800" <= char <= "\udfff" for char in text))


def promql(text: str, selection: Selection, **globals_: str) -> str:
    return interpolate(text, {"job": selection}, globals_)


@pytest.mark.parametrize(
    ("text", "selection", "expected"),
    [
        ('up{job="$job"}', ONE, 'up{job="energy-service"}'),
        ('up{job=~"$job"}', ONE, 'up{job=~"energy-service"}'),
        ('up{job=~"$job"}', TWO, 'up{job=~"app\\\\.1|app\\\\|2"}'),
        ('up{job=~"${job:regex}"}', TWO, 'up{job=~"app\\\\.1|app\\\\|2"}'),
        ('up{job=~"${job:pipe}"}', TWO, 'up{job=~"app.1|app|2"}'),
        ('label_replace(up, "jobs", "${job:csv}", "", "")', TWO, 'label_replace(up, "jobs", "app.1,app|2", "", "")'),
        ('up{job=~"$job"}', ALL, 'up{job=~".*"}'),
        ('up{job=~"$job"}', Selection(everything=True, pattern=".+"), 'up{job=~".+"}'),
        ('up{job=~"$job|"}', Selection(everything=True, pattern="a|b"), 'up{job=~"(?:a|b)|"}'),
        ('up{job=~"x-$job-y"}', TWO, 'up{job=~"x-(?:app\\\\.1|app\\\\|2)-y"}'),
        ('up{job=~"x-$job"}', ONE, 'up{job=~"x-energy-service"}'),
        ('up{job !~ "$job"}', ALL, 'up{job !~ ".*"}'),
        ("up{job=~'$job'}", Selection(("it's",)), "up{job=~'it\\'s'}"),
        ("up{job=~`$job`}", Selection(("a.b",)), "up{job=~`a\\.b`}"),
        ('up{job="$job"}', Selection(('a"} or vector(1) #',)), 'up{job="a\\"} or vector(1) #"}'),
        ("topk($job, up)", Selection(("5",)), "topk(5, up)"),
        ("sum by (${job}) (up)", Selection(("instance",)), "sum by (instance) (up)"),
        ('up{job=~"web.*$"}', ONE, 'up{job=~"web.*$"}'),
        ('up{a="\\"", job="$job"}', ONE, 'up{a="\\"", job="energy-service"}'),
    ],
)
def test_a_variable_is_written_for_the_place_it_stands_in(text: str, selection: Selection, expected: str) -> None:
    assert promql(text, selection) == expected


def test_the_globals_of_a_range_are_filled_in() -> None:
    assert promql("rate(x[$__rate_interval])[${__range}:]", ONE, __rate_interval="60s", __range="3600s") == (
        "rate(x[60s])[3600s:]"
    )


@pytest.mark.parametrize(
    ("text", "selection", "reason"),
    [
        ('up{job=~"$jop"}', ONE, "unknown variable \\$jop"),
        ('up{job="$job"}', TWO, "2 values"),
        ('up{job="$job"}', ALL, "set to all"),
        ("up[$job]", Selection(("5m] or vector(1",)), "no plain word"),
        ("up[$job]", TWO, "outside of quotes"),
        ("up{job=`$job`}", Selection(("a`b",)), "backtick"),
    ],
)
def test_what_cannot_be_written_safely_is_refused(text: str, selection: Selection, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        promql(text, selection)


def unquoted(text: str) -> list[str]:
    """The strings of a PromQL text, decoded as Prometheus' lexer does."""
    inner = re.findall(r'"((?:[^"\\\n]|\\.)*)"', text)
    return [re.sub(r"\\(.)", lambda m: "\n" if m.group(1) == "n" else m.group(1), one) for one in inner]


@given(hostile)
@example('"} or vector(1) or up{x="')
@example("a\\")
@example("\n")
@example("$job")
@example("${job:csv}")
def test_no_label_value_ends_its_string_or_becomes_another_value(value: str) -> None:
    text = promql('up{job="$job"} > 0', Selection((value,)))
    assert unquoted(text) == [value]
    assert text.endswith('"} > 0')


@given(st.lists(hostile, min_size=1, max_size=4, unique=True), hostile)
def test_a_regular_expression_of_values_matches_exactly_these(values: list[str], other: str) -> None:
    [expression] = unquoted(promql('up{job=~"$job"}', Selection(tuple(values))))
    assert all(re.fullmatch(expression, value, re.DOTALL) for value in values)
    assert (re.fullmatch(expression, other, re.DOTALL) is not None) == (other in values)


@given(hostile)
def test_outside_of_quotes_only_a_plain_word_is_let_in(value: str) -> None:
    try:
        text = promql("topk($job, up)", Selection((value,)))
    except ValueError:
        return
    assert re.fullmatch(r"topk\([A-Za-z0-9_:.]+, up\)", text)


@given(hostile)
def test_an_escaped_value_uses_only_escapes_that_re2_knows(value: str) -> None:
    assert all(not char.isalnum() for char in re.findall(r"\\(.)", regex_escaped(value), re.DOTALL))


def test_in_sql_a_variable_is_a_bind_and_the_text_stays_as_it_is() -> None:
    selections = {"state": Selection(("it's",)), "db": Selection(('a"b', "c,d")), "user": ALL}
    text = "select * from t where state = :'state' and db = any(:'db'::text[]) and :'user' = 'all' and x::'y' > 1"
    assert used_in(text, "postgres/app") == ("state", "db", "user")
    assert sql_binds(text, selections, {}) == (("state", "it's"), ("db", '{"a\\"b","c,d"}'), ("user", "all"))
    with pytest.raises(ValueError, match="unknown variable"):
        sql_binds("select :'nobody'", selections, {})


def test_array_literals_escape_quotes_and_backslashes() -> None:
    assert array_literal(("a", 'b"', "c\\")) == '{"a","b\\"","c\\\\"}'


def test_label_values_is_taken_apart() -> None:
    both = label_values('label_values(up{env=~"a,b"}, job)')
    assert both is not None
    assert (both.metric, both.label) == ('up{env=~"a,b"}', "job")
    alone = label_values("label_values(job)")
    assert alone is not None
    assert (alone.metric, alone.label) == ("", "job")
    assert label_values("up") is None


def test_options_come_from_one_cheap_query_and_stand_in_natural_order() -> None:
    variable = Variable("job", "label_values(up, job)", multi=True)
    assert options_query(variable, {}) == Query("prometheus", "group by (job) (up)")
    answer = Vector(tuple(Sample({"job": job}, 1, 0) for job in ("app-10", "app-2", "", "app-2")))
    assert options(variable, answer) == ("app-2", "app-10")
    table = Table(("name",), (("b",), ("a",), (None,)))
    assert options(Variable("db", "select datname from pg_database", source="postgres/app"), table) == ("a", "b")
    assert options(Variable("env", values=("prod", "test")), None) == ("prod", "test")


def test_a_variable_can_depend_on_another() -> None:
    variable = Variable("instance", 'label_values(up{job=~"$job"}, instance)')
    query = options_query(variable, {"job": Selection(("a.b",))})
    assert query is not None
    assert query.text == 'group by (instance) (up{job=~"a\\\\.b"})'


def test_a_choice_is_one_several_or_all() -> None:
    multi, single = Variable("job", "label_values(up, job)", multi=True), Variable("n", values=("1", "2"), default="1")
    assert chosen(multi, ["a", "b", "a"]) == Selection(("a", "b"))
    assert chosen(multi, ["all"]) == ALL
    assert chosen(single, ["1", "2"]) == Selection(("1",))
    screen = Screen("s", "S", (), variables=(multi, single))
    assert default_selections(screen) == {"job": ALL, "n": Selection(("1",))}


@given(st.lists(st.text(), unique=True))
@example(["9" * 5000, "a"])
def test_natural_order_takes_any_text(texts: list[str]) -> None:
    backwards = list(reversed(texts))
    assert sorted(backwards, key=natural) == sorted(texts, key=natural)

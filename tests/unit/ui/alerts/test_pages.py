"""Pages of alerts, on surveys made by hand."""

import time
from dataclasses import replace

import pytest

from opsconsole.actions import registry
from opsconsole.alerts.asking import Alerts
from opsconsole.alerts.episodes import Episode, History
from opsconsole.alerts.matching import parse_matchers
from opsconsole.alerts.merging import merged
from opsconsole.alerts.model import DeliverySide, RuleState, Silence, Survey
from opsconsole.runbooks.repair import runbook_for, with_values
from opsconsole.ui.alerts.active import ActivePage
from opsconsole.ui.alerts.choosing import new_silences
from opsconsole.ui.alerts.past import HistoryPage, PastReading
from opsconsole.ui.alerts.receivers import ReceiversPage
from opsconsole.ui.alerts.silenced import SilencesPage
from opsconsole.ui.alerts.watching import WatchPage
from opsconsole.ui.pages.page import Order, Page, Sheet
from opsconsole.ui.table_layout import Row
from tests.unit.alerts.made import delivered, rule_alert, rule_side, side
from tests.unit.ui.alerts.surveys import API, NOW, fired, held, survey

BY_TROUBLE = Order("trouble")


def texts(sheet: Sheet) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for row in sheet.rows]


def column(sheet: Sheet, name: str) -> list[str]:
    place = [one.id for one in sheet.columns].index(name)
    return [cells[place] for cells in texts(sheet)]


def row_of(sheet: Sheet, text: str) -> Row:
    return next(row for row in sheet.rows if any(text == cell.text for cell in row.cells))


def test_what_needs_somebody_is_first() -> None:
    sheet = ActivePage().sheet(survey(), BY_TROUBLE)
    assert list(zip(column(sheet, "alert"), column(sheet, "state"), strict=True)) == [
        ("Lost", "undelivered"), ("ApiDown", "active"), ("Watchdog", "active"), ("New", "sending"),
        ("DiskFull", "acknowledged"), ("Slow", "pending"),
    ]  # fmt: skip
    assert sheet.summary == "3 open, 1 of them undelivered   1 acknowledged   1 pending   dead-man's switch OK"
    assert column(sheet, "tells")[1] == "pager (pagerduty)"
    assert column(sheet, "why")[4] == "acknowledged by alice for 10m more"
    assert column(sheet, "why")[0] == "missing in alertmanager"


def test_flapping_is_said_beside_the_alert() -> None:
    sheet = ActivePage().sheet(survey(flapping={"api": 4}), BY_TROUBLE)
    assert "began 5 times within the hour" in column(sheet, "why")
    assert "1 flapping" in sheet.summary


def test_a_filter_of_labels_and_states() -> None:
    page, order = ActivePage(), replace(BY_TROUBLE, filter='job="api" @age>5m')
    assert page.speaks(order.filter)
    sheet = page.sheet(survey(), order)
    assert column(sheet, "alert") == ["ApiDown"]
    assert sheet.summary.startswith("1 of 6 shown")


@pytest.mark.parametrize("text", ["api", "!api", "~^api", "", "undelivered"])
def test_words_alone_are_looked_for_in_the_rows(text: str) -> None:
    assert not ActivePage().speaks(text)


@pytest.mark.parametrize("text", ["@state=nonsense", "@nope=1", 'job=~"["', "job>3"])
def test_a_filter_that_is_wrong_says_why(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        ActivePage().speaks(text)


def test_by_a_label() -> None:
    page, order = ActivePage(), replace(BY_TROUBLE, grouping="by job")
    sheet = page.sheet(survey(), order)
    assert list(zip(column(sheet, "group"), column(sheet, "count"), strict=True)) == [
        ("job=etl", "1"), ("job=api", "3"), ("(no label in common)", "1"), ("job=node", "1"),
    ]  # fmt: skip
    group = page.group(survey(), row_of(sheet, "job=api").key, order)
    assert group is not None
    assert sorted(one.name for one in group.alerts) == ["ApiDown", "New", "Slow"]
    shown = page.sheet(survey(), replace(BY_TROUBLE, filter=group.filter))
    assert sorted(column(shown, "alert")) == ["ApiDown", "New", "Slow"]


def test_by_what_alertmanager_sends_together() -> None:
    page, order = ActivePage(), replace(BY_TROUBLE, grouping="route groups")
    sheet = page.sheet(survey(), order)
    assert "pager: alertname=ApiDown job=api" in column(sheet, "group")
    group = page.group(survey(), row_of(sheet, "pager: alertname=ApiDown job=api").key, order)
    assert group is not None
    assert group.filter == 'alertname="ApiDown" job="api" @receiver="pager"'


def test_a_group_of_what_lacks_a_label_keeps_back_nothing_else() -> None:
    """`alertname="Down"` alone would keep back those of every team, too."""
    page, read = ActivePage(), survey()
    choices = page.choices(read, 'group alertname="ApiDown" team=""')
    assert choices[0].repair.given["matchers"] == 'alertname="ApiDown", team=""'
    assert page.choices(read, 'group team=""') == []


def test_groups_by_external_labels_are_found_again() -> None:
    page, read = ActivePage(), survey()
    alerts = tuple(replace(one, sent_labels={**one.sent_labels, "cluster": "eu"}) for one in read.alerts)
    sheet = page.sheet(replace(read, alerts=alerts), replace(BY_TROUBLE, filter='cluster="eu" alertname="ApiDown"'))
    assert column(sheet, "alert") == ["ApiDown"]


def test_forms_are_route_groups_and_every_label() -> None:
    page = ActivePage()
    offered = [name for name, _ in page.forms(survey())]
    assert offered[0] == "route groups"
    assert {"by job", "by severity", "by alertname"} <= set(offered)
    for form in offered:
        page.check_form(form)
    with pytest.raises(ValueError, match="expected route groups"):
        page.check_form("by two words")


def test_rows_of_unchanged_alerts_are_the_same() -> None:
    page, read = ActivePage(), survey()
    first, again = page.sheet(read, BY_TROUBLE), page.sheet(read, BY_TROUBLE)
    assert all(one is other for one, other in zip(first.rows, again.rows, strict=True))
    later = page.sheet(replace(read, taken_at=NOW + 60), BY_TROUBLE)
    assert column(later, "age")[1] == "11m"


def test_five_thousand_rows_are_filtered_between_two_keys() -> None:
    page = ActivePage()
    alerts = survey().alerts
    many = tuple(replace(alerts[n % 6], fingerprint=f"{n:016x}") for n in range(5000))
    read = replace(survey(), alerts=many)
    page.sheet(read, BY_TROUBLE)
    began = time.process_time()
    page.sheet(read, replace(BY_TROUBLE, filter='alertname=~"Api.*" @state=active'))
    assert time.process_time() - began < 0.15


def test_every_choice_is_an_action_that_takes_it() -> None:
    eu = DeliverySide("alertmanager/us", (held(API),), (), None, "0.25.0", place="am-2:9093")
    for read in (survey(), survey(second=eu)):
        pages: list[tuple[Page[Alerts, Survey], Order]] = [
            (ActivePage(), BY_TROUBLE),
            (ActivePage(), replace(BY_TROUBLE, grouping="by job")),
            (ActivePage(), replace(BY_TROUBLE, grouping="route groups")),
            (SilencesPage(), Order("ends", "with expired ones")),
        ]
        offered = [
            choice
            for page, order in pages
            for row in page.sheet(read, order).rows
            for choice in page.choices(read, row.key)
        ]
        assert len(offered) > 15
        for choice in offered:
            found = registry.find(choice.repair.action)
            assert found is not None
            assert found.complaints(choice.repair.given) == []
            assert runbook_for(choice.repair).steps


def test_an_acknowledgement_fits_exactly_the_alert_and_says_so() -> None:
    page, read = ActivePage(), survey()
    row = row_of(page.sheet(read, BY_TROUBLE), "ApiDown")
    ack, silence = page.choices(read, row.key)
    assert (ack.label, ack.repair.given["duration"]) == ("acknowledge", "15m")
    assert ack.repair.given["comment"] == "ACK! ApiDown"
    assert 'cluster="demo"' in ack.repair.given["matchers"]
    assert silence.repair.why == "it matches now: 1 alert: ApiDown (active)"


def test_what_nobody_has_is_taken_where_it_should_be() -> None:
    page, read = ActivePage(), survey()
    row = row_of(page.sheet(read, BY_TROUBLE), "Lost")
    assert [one.label for one in page.choices(read, row.key)] == ["acknowledge", "silence"]


def test_what_the_operator_acknowledged_already_is_not_acknowledged_again() -> None:
    page, read = ActivePage(), survey()
    row = row_of(page.sheet(read, BY_TROUBLE), "ApiDown")
    given = page.choices(read, row.key)[0].repair.given
    mine = Silence("a1", parse_matchers(given["matchers"]), NOW - 60, NOW + 600, "alice", "ACK! ApiDown", "active")
    side = replace(read.sides[0], silences=(*read.sides[0].silences, mine))
    again = replace(read, sides=(side,), silences={**read.silences, "a1": mine}, keeps="alice")
    assert [one.label for one in page.choices(again, row.key)] == ["silence"]
    others = page.choices(replace(again, keeps="bob"), row.key)
    assert [one.label for one in others] == ["acknowledge", "silence"]


def test_a_new_silence_says_what_it_would_match_for_each_alertmanager() -> None:
    read = survey(second=DeliverySide("alertmanager/us", (), (), None, "0.25.0", place="am-2:9093"))
    found = new_silences('job="api", severity=~"crit.*"', read)
    assert [one.given["alertmanager"] for one in found] == ["alertmanager/eu", "alertmanager/us"]
    assert found[0].why == "it matches now: 1 alert: ApiDown (active)"
    assert runbook_for(found[0]).steps
    for text, why in (("", "expected matchers"), ('job=~".*"', "fit every alert"), ('job=~"("', "missing")):
        with pytest.raises(ValueError, match=why):
            new_silences(text, read)


def test_alertmanagers_that_are_no_peers_are_told_each() -> None:
    eu = DeliverySide("alertmanager/us", (held(API),), (), None, "0.25.0", place="am-2:9093")
    page, read = ActivePage(), survey(second=eu)
    row = row_of(page.sheet(read, BY_TROUBLE), "ApiDown")
    labels = [one.label for one in page.choices(read, row.key)]
    assert labels == ["acknowledge (eu)", "silence (eu)", "acknowledge (us)", "silence (us)"]


def two_clusters() -> Survey:
    """A Prometheus each, which send to an Alertmanager each; `us` does not answer any more."""
    rules = tuple(
        rule_side(
            rule_alert(job="api", state=state), rule_alert("Watchdog", state=state), external={"cluster": name},
            name=f"prometheus/{name}", targets=(f"http://am-{name}:9093/api/v2/alerts",), error=error,
        )
        for name, state, error in (("eu", RuleState.FIRING, ""), ("us", RuleState.UNKNOWN, "us: refused"))
    )  # fmt: skip
    sides = tuple(
        side(*(delivered(one, job="api", cluster=name) if one == "Down" else delivered(one, cluster=name)
               for one in given), name=f"alertmanager/{name}", place=f"am-{name}:9093")
        for name, given in (("eu", ("Down", "Watchdog")), ("us", ()))
    )  # fmt: skip
    return Survey(NOW, merged(rules, sides, NOW), {}, rules, sides, failed=True)


def test_an_alert_of_a_cluster_is_acknowledged_where_it_is_sent_to() -> None:
    page, read = ActivePage(), two_clusters()
    row = next(one for one in page.sheet(read, BY_TROUBLE).rows if one.cells[-1].text == "cluster=eu job=api")
    choices = page.choices(read, row.key)
    assert [one.label for one in choices] == ["acknowledge (eu)", "silence (eu)"]
    assert 'cluster="eu"' in choices[0].repair.given["matchers"]
    detail = page.detail(read, row.key)
    assert detail is not None
    parts = dict(detail.parts)
    assert parts["prometheus"] == "prometheus/eu: firing"
    assert "alertmanager/us: not sent there by whoever fires it" in parts["delivery"]


def test_the_watch_has_lines_for_each_prometheus() -> None:
    sheet = WatchPage().sheet(two_clusters(), Order("way"))
    assert list(zip(column(sheet, "state"), column(sheet, "what"), strict=True)) == [
        ("OK", "rules of prometheus/eu"),
        ("ERROR", "rules of prometheus/us"),
        ("UNKNOWN", "delivery"),
        ("OK", "dead-man's switch of prometheus/eu"),
        ("UNKNOWN", "dead-man's switch of prometheus/us"),
        ("WARN", "alertmanager/eu at am-eu:9093"),
        ("WARN", "alertmanager/us at am-us:9093"),
        ("OK", "where prometheus/eu sends to"),
        ("UNKNOWN", "where prometheus/us sends to"),
    ]
    assert column(sheet, "why")[-2:] == ["alertmanager/eu", "it does not answer"]


def test_silences_say_what_they_keep_back() -> None:
    page, read = SilencesPage(), survey()
    sheet = page.sheet(read, Order("ends"))
    assert list(zip(column(sheet, "state"), column(sheet, "alerts"), column(sheet, "ends"), strict=True)) == [
        ("ack", "1", "in 10m"), ("active", "nothing", "in 2h"),
    ]  # fmt: skip
    assert sheet.summary == "2 active   1 of them acknowledgements   1 end soon   1 match nothing"
    assert len(page.sheet(read, Order("ends", "with expired ones")).rows) == 3
    kept = page.sheet(replace(read, keeps="alice"), Order("ends"))
    assert "end soon" not in kept.summary
    assert kept.rows[0].cells[1].role == "text"
    detail = page.detail(read, "5a5a5a5a-1")
    assert detail is not None
    assert (detail.title, detail.parts[1][0]) == ("Acknowledgement", "keeps back 1 alert")
    assert [one.label for one in page.choices(read, "5a5a5a5a-1")] == [
        "until 1h from now", "until 8h from now", "until 1d from now", "edit", "end silence",
    ]  # fmt: skip
    assert [one.label for one in page.choices(read, "5a5a5a5a-3")] == ["silence again"]


def test_a_silence_is_never_cut_short_by_what_makes_it_longer() -> None:
    page, read = SilencesPage(), survey()
    one = read.silences["5a5a5a5a-1"]
    later = replace(read, silences={one.id: replace(one, ends_at=read.taken_at + 13 * 86400 + 200)})
    choices = page.choices(later, one.id)
    assert [choice.label for choice in choices] == ["edit", "end silence"]
    assert choices[0].repair.given["duration"] == "13d3m"


def test_a_silence_whose_matchers_are_changed_says_what_it_would_match() -> None:
    page, read = SilencesPage(), survey()
    edit = next(one.repair for one in page.choices(read, "5a5a5a5a-1") if one.label == "edit")
    wider = with_values(edit, {"MATCHERS": 'alertname=~".+"'})
    assert wider.given == {**edit.given, "matchers": 'alertname=~".+"'}
    assert wider.why == f"{edit.why}; with this it would match: 6 alerts: " + ", ".join(
        f"{one.name} ({one.state})" for one in read.alerts[:3]
    ) + " and 3 more"  # fmt: skip
    assert "no alert" in with_values(edit, {"MATCHERS": 'alertname="Nope"'}).why
    with pytest.raises(ValueError, match="no matcher"):
        with_values(edit, {"MATCHERS": "nonsense"})
    silence = next(one.repair for one in ActivePage().choices(read, read.alerts[0].key) if one.label == "silence")
    assert with_values(silence, {"MATCHERS": 'job="api"'}).why.startswith("it matches now: 3 alerts")


def test_receivers_now_and_at_another_time() -> None:
    page, read = ReceiversPage(), survey()
    now = page.sheet(read, Order("route"))
    assert list(zip(column(now, "receiver"), column(now, "state"), column(now, "alerts"), strict=True)) == [
        ("default", "nobody", "2"), ("pager", "tells", "2"),
    ]  # fmt: skip
    later = page.sheet(read, Order("route", "at 2028-06-01T12:00"))
    assert column(later, "state") == ["nobody", "muted"]
    assert "as it will be 2028-06-01 12:00:00 UTC" in later.summary
    with pytest.raises(ValueError, match=r"\+2h"):
        page.check_form("tonight")
    detail = page.detail(read, now.rows[1].key)
    assert detail is not None
    assert detail.parts[0][0] == "told of 2 alerts"


def test_the_watch_says_what_does_not_work() -> None:
    page, read = WatchPage(), survey()
    sheet = page.sheet(read, Order("way"))
    assert list(zip([row.key for row in sheet.rows], column(sheet, "state"), strict=True)) == [
        ("rules", "OK"), ("delivery", "CRIT"), ("switch", "OK"), ("side alertmanager", "OK"), ("targets", "OK"),
    ]  # fmt: skip
    detail = page.detail(read, "delivery")
    assert detail is not None
    assert "Lost, since 1h" in detail.parts[0][1]
    silent = survey(second=DeliverySide("alertmanager/us", error="connection refused", place="am-2:9093"))
    assert ("ERROR", "connection refused") in [
        (row.cells[0].text, row.cells[2].text) for row in page.sheet(silent, Order("way")).rows
    ]


def test_an_alertmanager_that_prometheus_does_not_know_is_told() -> None:
    other = DeliverySide("alertmanager/us", (), (), None, "0.25.0", place="am-2:9093")
    sheet = WatchPage().sheet(survey(second=replace(other, routing=survey().sides[0].routing)), Order("way"))
    assert any("under this address Prometheus sends it nothing" in why for why in column(sheet, "why"))


def past(*episodes: Episode) -> PastReading:
    return PastReading(History(NOW - 86_400, NOW, 15.0, episodes), survey(), 86_400.0)


def test_history_by_episode_and_by_alert() -> None:
    labels = {"alertname": "ApiDown", "severity": "critical", "job": "api"}
    going = Episode(labels, NOW - 120, NOW - 120, None)
    ended = Episode(labels, NOW - 7200, NOW - 7200, NOW - 7000, 3)
    read, page = past(going, ended), HistoryPage()
    sheet = page.sheet(read, Order("newest"))
    assert [cells[:6] for cells in texts(sheet)] == [
        ["firing", "critical", "ApiDown", "2m", "2m", ""],
        ["resolved", "critical", "ApiDown", "2h", "3m 20s", "×3"],
    ]
    assert "mean time to repair 3m 20s of 1 that ended" in sheet.summary
    (row,) = page.sheet(read, Order("newest", "by alert")).rows
    assert [cell.text for cell in row.cells][:5] == ["ApiDown", "critical", "2", "1", "3m 20s"]
    for key in (row.key, sheet.rows[0].key):
        detail = page.detail(read, key)
        assert detail is not None
        assert "and goes on" in detail.parts[0][1]


def test_nothing_is_no_trouble() -> None:
    none = replace(survey(), alerts=(), silences={})
    pages: list[Page[Alerts, Survey]] = [ActivePage(), SilencesPage(), ReceiversPage(), WatchPage()]
    for page in pages:
        page.sheet(none, Order(page.sorts[0]))
        assert page.detail(none, "nothing") is None
    assert fired("x", state=RuleState.PENDING).firing_at is None
    assert HistoryPage().sheet(past(), Order("newest")).rows == []

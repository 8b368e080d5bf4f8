"""The actions on silences, before anything is sent."""

from pathlib import Path

import pytest

from opsconsole.actions import registry
from opsconsole.actions.action import Action, Risk
from opsconsole.config.settings import AlertmanagerSettings, Environment

ONE = AlertmanagerSettings("http://127.0.0.1:9")
SEVERAL = Environment(
    "e", Path(), Path(), alertmanager=ONE, alertmanagers={"eu": AlertmanagerSettings("http://eu:9/am")}
)
GIVEN = {"matchers": 'alertname="Down", job!~"a|b"', "duration": "30m", "comment": "work"}


def built(action: str, environment: Environment, **given: str) -> Action:
    registration = registry.find(action)
    assert registration is not None
    return registration.build(given, environment)


def test_what_is_sent_is_shown_with_every_kind_of_matcher() -> None:
    action = built("alert.silence", SEVERAL, **GIVEN, alertmanager="alertmanager/eu")
    assert action.risk is Risk.WRITE
    assert "http://eu:9/am/api/v2/silences" in action.command
    assert '"value": "a|b"' in action.command
    assert action.target == 'alertname="Down", job!~"a|b"'
    assert action.verify is not None


def test_the_only_one_needs_no_name() -> None:
    alone = Environment("e", Path(), Path(), alertmanager=ONE)
    action = built("alert.unsilence", alone, id="d8a75e79-25f1-4579-9987-b4bf8ae0e3b1")
    assert "http://127.0.0.1:9/api/v2/silence/d8a75e79-25f1-4579-9987-b4bf8ae0e3b1" in action.command


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({}, "which\\? There are alertmanager, alertmanager/eu"),
        ({"alertmanager": "alertmanager/us"}, "no 'alertmanager/us'"),
        ({"alertmanager": "alertmanager", "matchers": 'job=~".*"'}, "fit every alert"),
        ({"alertmanager": "alertmanager", "matchers": 'job!="a"'}, "fit every alert"),
        ({"alertmanager": "alertmanager", "matchers": "Down"}, "no matcher"),
        ({"alertmanager": "alertmanager", "duration": "10s"}, "from 1m to 30d"),
        ({"alertmanager": "alertmanager", "duration": "31d"}, "from 1m to 30d"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(changed: dict[str, str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        built("alert.silence", SEVERAL, **{**GIVEN, **changed})


def test_an_alerts_name_and_one_label_are_enough() -> None:
    alone = Environment("e", Path(), Path(), alertmanager=ONE)
    action = built("alert.silence", alone, alertname="Down", label='job=a"b', duration="30m", comment="work")
    assert action.target == 'alertname="Down", job="a\\"b"'
    with pytest.raises(ValueError, match="matchers is missing"):
        built("alert.silence", alone, duration="30m", comment="work")


def test_what_an_edit_changes_is_said_and_the_rest_is_left_out() -> None:
    alone = Environment("e", Path(), Path(), alertmanager=ONE)
    given = {"id": "d8a75e79-25f1-4579-9987-b4bf8ae0e3b1"}
    action = built("alert.edit-silence", alone, **given, duration="2h")
    assert action.title == "change a silence: duration"
    assert "now + 2h" in action.command
    assert "matchers" not in action.command
    assert "as it is" in built("alert.edit-silence", alone, **given, comment="other").command
    with pytest.raises(ValueError, match="nothing to change"):
        built("alert.edit-silence", alone, **given)

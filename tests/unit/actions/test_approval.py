"""Approval by a second person: of exactly this, for a while, and never by oneself."""

import json
import os
import pwd
from dataclasses import replace
from pathlib import Path

import pytest

from opsconsole.actions import approval
from opsconsole.actions.approval import ApprovalError, Approvals, Subject

ME = os.getuid()
SUBJECT = Subject("prod", "book", "sha", "commit", "stop", "systemctl stop x", {"X": "x"}, ME, 1)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as somebody else")


class Clock:
    """A clock that stands still."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def approvals(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Approvals:
    monkeypatch.setattr(approval, "login_uid", lambda: None)
    folder = tmp_path / "approvals"
    folder.mkdir()
    folder.chmod(0o1777)
    return Approvals(folder, 900, clock)


def approved_by(approvals: Approvals, uid: int, subject: Subject = SUBJECT, **more: object) -> Path:
    """An approval as `uid` would write it."""
    path = approvals.folder / f"{subject.digest}.{uid}.approved.json"
    path.write_text(json.dumps({"digest": subject.digest, "at": approvals.clock(), "login": None, **more}))
    path.chmod(0o644)
    if os.geteuid() == 0:
        os.chown(path, uid, -1)
    return path


def daemon() -> tuple[int, str]:
    entry = next(one for one in pwd.getpwall() if one.pw_uid not in (0, ME))
    return entry.pw_uid, entry.pw_name


@needs_root
class TestCounting:
    def test_an_approval_by_somebody_else_counts(self, approvals: Approvals) -> None:
        uid, name = daemon()
        assert approvals.missing(SUBJECT).startswith("0 of 1 approvals; somebody else can approve it")
        approvals.request(SUBJECT, "run-1")
        approved_by(approvals, uid)
        assert (approvals.missing(SUBJECT), approvals.granted(SUBJECT)) == ("", (name,))
        assert [one.missing for one in approvals.pending()] == [0]

    @pytest.mark.parametrize(
        "other",
        [
            replace(SUBJECT, command="systemctl stop y"),
            replace(SUBJECT, values={"X": "y"}),
            replace(SUBJECT, commit="other"),
            replace(SUBJECT, sha256="other"),
            replace(SUBJECT, step="other"),
            replace(SUBJECT, environment="other"),
            replace(SUBJECT, requester=ME + 1),
            replace(SUBJECT, count=2),
        ],
    )
    def test_it_counts_for_nothing_else(self, approvals: Approvals, other: Subject) -> None:
        approved_by(approvals, daemon()[0])
        assert approvals.granted(SUBJECT)
        assert approvals.granted(other) == ()

    def test_it_expires_and_cannot_be_dated_ahead(self, approvals: Approvals, clock: Clock) -> None:
        approved_by(approvals, daemon()[0])
        clock.now += 899
        assert approvals.granted(SUBJECT)
        clock.now += 2
        assert not approvals.granted(SUBJECT)
        approved_by(approvals, daemon()[0], at=clock.now + 3600)
        assert not approvals.granted(SUBJECT)

    def test_one_s_own_does_not_count_whatever_its_name_says(self, approvals: Approvals) -> None:
        approved_by(approvals, ME)
        path = approved_by(approvals, daemon()[0])
        os.chown(path, ME, -1)  # written by the requester, in another's name
        assert approvals.granted(SUBJECT) == ()

    def test_by_sudo_one_is_still_oneself(self, approvals: Approvals) -> None:
        approved_by(approvals, daemon()[0], login=ME)
        assert approvals.granted(SUBJECT) == ()

    def test_links_and_files_that_others_may_write_do_not_count(self, approvals: Approvals, tmp_path: Path) -> None:
        path = approved_by(approvals, daemon()[0])
        path.chmod(0o666)
        assert approvals.granted(SUBJECT) == ()
        path.chmod(0o644)
        assert approvals.granted(SUBJECT)
        os.link(path, tmp_path / "second")
        assert approvals.granted(SUBJECT) == ()

    def test_only_those_who_may(self, approvals: Approvals) -> None:
        uid, name = daemon()
        for allowed, expected in ((("nobody-else",), ()), ((name,), (name,))):
            subject = replace(SUBJECT, approvers=allowed)
            approved_by(approvals, uid, subject)
            assert approvals.granted(subject) == expected

    def test_it_takes_as_many_as_it_takes(self, approvals: Approvals) -> None:
        subject = replace(SUBJECT, count=2)
        first, second = [one.pw_uid for one in pwd.getpwall() if one.pw_uid not in (0, ME)][:2]
        approved_by(approvals, first, subject)
        assert approvals.missing(subject).startswith("1 of 2 approvals (by ")
        approved_by(approvals, second, subject)
        assert approvals.missing(subject) == ""


def test_a_request_is_listed_until_it_is_old(approvals: Approvals, clock: Clock) -> None:
    approvals.request(SUBJECT, "run-1")
    (request,) = approvals.pending()
    assert (request.subject, request.run, request.missing) == (SUBJECT, "run-1", 1)
    clock.now += approval.REQUEST_AGE
    assert approvals.pending() == []


def test_a_request_that_shows_something_else_than_its_hash_is_not_listed(approvals: Approvals) -> None:
    approvals.request(SUBJECT, "run-1")
    path = next(approvals.folder.glob("*.request.json"))
    record = json.loads(path.read_text())
    record["subject"]["command"] = "echo harmless"
    path.write_text(json.dumps(record))
    assert approvals.pending() == []


def test_nobody_approves_what_he_requested(approvals: Approvals, monkeypatch: pytest.MonkeyPatch) -> None:
    approvals.request(SUBJECT, "run-1")
    (request,) = approvals.pending()
    with pytest.raises(ApprovalError, match="requested himself"):
        approvals.approve(request)
    theirs = replace(request, subject=replace(SUBJECT, requester=ME + 1), login=ME)
    with pytest.raises(ApprovalError, match="requested himself"):
        approvals.approve(theirs)
    monkeypatch.setattr(approval, "login_uid", lambda: ME + 1)
    with pytest.raises(ApprovalError, match="by sudo or su"):
        approvals.approve(replace(theirs, login=None))


def test_a_folder_in_which_others_can_replace_files_is_refused(approvals: Approvals) -> None:
    approvals.folder.chmod(0o777)
    with pytest.raises(ApprovalError, match=r"chmod \+t"):
        approvals.request(SUBJECT, "run-1")


@pytest.mark.parametrize("content", ["", "[]", "{", '{"subject": {}}', "null", "\x00"])
def test_what_is_no_request_is_left_out(approvals: Approvals, content: str) -> None:
    (approvals.folder / f"{SUBJECT.digest}.request.json").write_text(content)
    assert approvals.pending() == []
    assert approvals.missing(SUBJECT)

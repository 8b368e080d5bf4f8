"""No spelling of a secret gets through, however the output is cut."""

import base64
import re
import time
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsconsole.actions.masking import StreamMasker, spellings
from opsconsole.core.secret import Secret

SECRET = "s3cr3t/pass word+ü"


def masked(text: bytes, size: int, *secrets: str) -> bytes:
    masker = StreamMasker(Secret(secret) for secret in secrets)
    return b"".join(masker.feed(text[at : at + size]) for at in range(0, len(text), size)) + masker.flush()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
def test_a_secret_cut_anywhere_is_masked(size: int) -> None:
    text = f"before {SECRET} between {SECRET}{SECRET} after".encode()
    assert masked(text, size, SECRET) == b"before *** between ****** after"


@pytest.mark.parametrize(
    "spelling",
    [
        SECRET,
        quote_plus(SECRET),
        quote_plus(SECRET).lower(),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(SECRET.encode()).decode().rstrip("="),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
    ],
)
def test_the_usual_encodings_are_masked_too(spelling: str) -> None:
    assert masked(f"x={spelling};".encode(), 5, SECRET) in (b"x=***;", b"x=***==;", b"x=***=;")


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
@pytest.mark.parametrize("after", ["", "x", "xy", "xyz"])
def test_a_secret_inside_a_longer_base64_is_masked(before: str, after: str) -> None:
    shown = masked(base64.b64encode(f"{before}{SECRET}{after}".encode()), 5, SECRET)
    # Left over are at most the characters that share bits with the neighbours.
    assert re.fullmatch(rb"[A-Za-z0-9+/]{0,4}\*\*\*[A-Za-z0-9+/]{0,5}=*", shown)


@pytest.mark.parametrize("short", ["", "a", "abc"])
def test_a_secret_too_short_masks_nothing(short: str) -> None:
    assert spellings(Secret(short)) == ()
    assert masked(b"abcabc", 2, short) == b"abcabc"


def test_the_longer_of_two_secrets_that_begin_alike_wins() -> None:
    for size in (1, 4, 100):
        assert masked(b"[password][password-long][password-lo]", size, "password", "password-long") == (
            b"[***][***][***-lo]"
        )


def test_secrets_that_overlap_go_together() -> None:
    for size in range(1, 12):
        assert masked(b"..abcdXYZWefgh..", size, "abcdXYZW", "XYZWefgh") == b"..***.."


@given(st.data())
def test_masking_does_not_depend_on_the_cuts(data: st.DataObject) -> None:
    alphabet = st.sampled_from("abc")
    secrets = data.draw(st.lists(st.text(alphabet, min_size=4, max_size=7), max_size=3))
    text = data.draw(st.text(alphabet, max_size=60)).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    masker = StreamMasker(map(Secret, secrets))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    shown = b"".join(map(masker.feed, pieces)) + masker.flush()
    assert not any(secret.encode() in shown for secret in secrets)
    if not secrets:
        assert shown == text


def test_what_is_held_back_stays_small_even_for_a_secret_that_repeats_itself() -> None:
    masker = StreamMasker([Secret("0000")])
    for _ in range(10):
        masker.feed(b"0" * 10_000)
        assert len(masker._held) < 100


def test_many_secrets_and_a_long_one_cost_little() -> None:
    masker = StreamMasker([Secret(f"secret-number-{n}") for n in range(10)] + [Secret("-----KEY-----" * 300)])
    piece = (b"an ordinary line of output, -----KEY, -----KEY-----\n" * 1300)[:65536]
    started = time.process_time()
    for _ in range(32):
        masker.feed(piece)
    assert time.process_time() - started < 2  # 2 MB

"""Values in PromQL: what may stand where."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsconsole.sources.promqltext import PromqlTextError, filled


@pytest.mark.parametrize("value", ["0", "1767225600", "-3"])
def test_a_whole_number_stands_outside_of_quotes(value: str) -> None:
    assert filled("timestamp(up) > bool $SINCE", {"SINCE": value}) == f"timestamp(up) > bool {value}"


@pytest.mark.parametrize("value", ["", "1e9", "1 or up", "0x10", "1.5", "+1", "١", "9" * 19, "1\n"])
def test_nothing_else_does(value: str) -> None:
    with pytest.raises(PromqlTextError, match="no whole number"):
        filled("up > $N", {"N": value})


@given(st.text())
def test_a_label_cannot_end_its_string(value: str) -> None:
    written = filled('up{job="$JOB"}', {"JOB": value})
    inner = written.removeprefix('up{job="').removesuffix('"}')
    assert '"' not in inner.replace("\\\\", "").replace('\\"', "")

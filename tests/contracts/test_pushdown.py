"""What a tick reads from a server doesn't grow with the rows that it holds."""

import pytest

from benchmarks.pushdown import figures


@pytest.mark.slow
def test_ten_times_the_rows_are_no_more_bytes():
    small, large = figures([10_000, 100_000])
    assert (small["rows"], large["rows"]) == (10_000, 100_000)
    assert large["bytes"] < 1.3 * small["bytes"]

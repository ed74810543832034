"""Which windows have their labels, told from shares alone."""

import numpy as np
import pytest

from agentops_graph.detection.late_labels import full_from, is_level, settled_until
from agentops_graph.domain.frames import Predictions

MANY = [1000] * 8


@pytest.mark.parametrize(
    ("shares", "first"),
    [
        ([0.1, 0.5, 0.8, 0.97], 3),
        ([0.3, 0.31], 0),  # a sample: no older window has more
        ([0.1, 0.29, 0.3], 1),
        ([0.1, 0.4], None),  # still rising where the log ends
        ([0.0, 0.0], None),
        ([0.95], 0),
    ],
)
def test_the_newest_window_with_nearly_all_its_labels_is_found(shares, first):
    assert full_from(shares, MANY[: len(shares)]) == first


def test_few_rows_make_two_shares_the_same():
    assert is_level([0.30, 0.36], [60, 60])
    assert not is_level([0.30, 0.36], [6000, 6000])


def rows(labelled):
    """A row a second for an hour, labelled where the function of its second says so."""
    seconds = np.arange(3600.0)
    blank = np.full(3600, np.nan)
    return Predictions(
        ids=[str(number) for number in range(3600)],
        timestamps=seconds,
        features={},
        prediction=np.ones(3600),
        confidence=blank,
        label=np.where(labelled(seconds), 1.0, np.nan),
        latency_ms=blank,
        version=["1"] * 3600,
    )


@pytest.mark.parametrize(
    ("labelled", "until"),
    [
        (lambda s: s < 2400, 2400.0),
        (lambda s: s < 3000, 3000.0),
        (lambda s: s >= 0, None),  # nothing is missing
        (lambda s: s < 600, None),  # even the oldest third still fills up
        (lambda s: s < 0, None),
        (lambda s: s % 10 < 3, None),  # a sample
    ],
)
def test_a_delay_shorter_than_the_window_leaves_its_older_part(labelled, until):
    assert settled_until(rows(labelled), 0.0, 3600.0) == until

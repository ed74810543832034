"""A change of correlation is seen when no single feature moved, and named with its pair."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from agentops_graph.detection.together import pairs_of, together_of

NAMES = ("a", "b", "c", "d")


def drawn(seed, rows, correlation):
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(rows, 4))
    table[:, 1] = correlation * table[:, 0] + np.sqrt(1 - correlation**2) * table[:, 1]
    return dict(zip(NAMES, table.T, strict=True))


def test_the_correlations_are_scipys():
    rows = drawn(0, 3000, 0.6)
    rows["d"] = np.round(rows["d"])
    found = together_of(rows)
    wanted = spearmanr(np.column_stack(list(rows.values()))).statistic
    assert found.correlations == pytest.approx(wanted[np.triu_indices(4, 1)], abs=1e-4)
    assert found.rows == 3000


@pytest.mark.parametrize(("before", "now"), [(0.0, 0.5), (0.9, 0.1), (0.4, -0.4)])
def test_a_changed_pair_is_the_first_and_the_only_clear_one(before, now):
    pairs = pairs_of(together_of(drawn(1, 3000, before)), drawn(2, 500, now))
    assert (pairs[0].first, pairs[0].second) == ("a", "b")
    assert [pair.is_clear for pair in pairs] == [True, False, False, False, False, False]
    assert pairs[0].change == pytest.approx(now - before, abs=0.15)


def test_a_feature_that_moved_alone_changes_no_correlation():
    now = drawn(2, 500, 0.6)
    now["a"] = np.exp(3 * now["a"] + 7)
    pairs = pairs_of(together_of(drawn(1, 3000, 0.6)), now)
    assert max(abs(pair.change) for pair in pairs) < 0.2


def test_one_absurd_value_changes_no_correlation():
    now = drawn(2, 500, 0.6)
    now["a"][7] = 1e300
    pairs = pairs_of(together_of(drawn(1, 3000, 0.6)), now)
    assert max(abs(pair.change) for pair in pairs) < 0.2


def test_columns_that_say_nothing_are_left_out():
    rows = drawn(3, 400, 0.5)
    rows["constant"], rows["gone"] = np.full(400, 7.0), np.full(400, np.nan)
    assert together_of(rows).names == NAMES
    assert pairs_of(together_of(rows), {"a": rows["a"]}) == []
    assert together_of({"a": rows["a"]}) is None
    assert together_of(drawn(3, 20, 0.5)) is None
    assert together_of({}) is None


def test_a_wide_table_keeps_its_profile_small():
    rng = np.random.default_rng(4)
    found = together_of({f"c{n}": rng.normal(size=200) for n in range(500)})
    assert len(found.names) == 60


@pytest.mark.parametrize("rows", [200, 600, 1200])
def test_healthy_pixels_that_are_nearly_always_black_move_as_ever(rows):
    from sklearn.datasets import load_digits

    pixels = load_digits().data
    rng = np.random.default_rng(3)
    names = [f"p{n}" for n in range(pixels.shape[1])]

    def drawn(count):
        chosen = pixels[rng.integers(0, len(pixels), count)]
        return dict(zip(names, chosen.T.astype(np.float64), strict=True))

    before = together_of(drawn(2000))
    for _ in range(10):
        assert not any(pair.is_clear for pair in pairs_of(before, drawn(rows)))

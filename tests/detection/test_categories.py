"""Categorical drift: chi-square agrees with scipy, and a category nobody knew is seen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, chi2_contingency

from agentops_graph.detection.categories import (
    category_drift,
    category_profile,
    chi_square,
    chi_square_tail,
)

QUICK = settings(max_examples=80, deadline=None)


@QUICK
@given(st.integers(0, 2**31), st.integers(2, 40))
def test_the_statistic_and_its_tail_are_scipys(seed, categories):
    table = np.random.default_rng(seed).integers(1, 60, size=(2, categories)).astype(float)
    wanted = chi2_contingency(table, correction=False)
    statistic, freedom = chi_square(table)
    assert statistic == pytest.approx(wanted.statistic, rel=1e-9)
    assert freedom == wanted.dof
    assert chi_square_tail(statistic, freedom) == pytest.approx(wanted.pvalue, rel=1e-7, abs=1e-12)


@pytest.mark.parametrize("freedom", [1, 2, 9, 300, 5000])
@pytest.mark.parametrize("part", [0.2, 0.9, 1.0, 1.1, 3.0])
def test_the_tail_is_scipys_far_out_too(freedom, part):
    wanted = chi2.sf(part * freedom, freedom)
    assert chi_square_tail(part * freedom, freedom) == pytest.approx(wanted, rel=1e-6, abs=1e-12)


def test_a_renamed_category_is_unseen():
    before = category_profile(["de"] * 500 + ["fr"] * 500)
    found = category_drift(before, category_profile(["DE"] * 50 + ["fr"] * 50))
    assert found.unseen == ("DE",)
    assert found.unseen_share == 0.5
    assert found.psi > 2
    assert found.p_value < 1e-9
    assert found.cramers_v > 0.3


def test_the_same_mix_is_no_drift():
    before = category_profile(["a", "b", None] * 300)
    found = category_drift(before, category_profile(["b", None, "a"] * 40))
    assert found.psi == pytest.approx(0, abs=1e-12)
    assert found.chi_square == pytest.approx(0, abs=1e-12)
    assert found.p_value == pytest.approx(1)
    assert found.unseen == ()


def test_missing_values_are_a_bin_of_their_own():
    found = category_drift(
        category_profile(["a"] * 99), category_profile([None, float("nan")] + ["a"] * 2)
    )
    assert found.missing_shift == 0.5
    assert found.psi > 1


@pytest.mark.parametrize("sides", [([], ["a"]), (["a"], []), ([], [])])
def test_nothing_to_compare_is_no_drift(sides):
    found = category_drift(*(category_profile(side) for side in sides))
    assert (found.psi, found.js, found.chi_square, found.p_value) == (0, 0, 0, 1)

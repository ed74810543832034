"""Reciprocal-rank fusion."""

from hypothesis import given
from hypothesis import strategies as st

from agentops_graph.diagnosis.fusion import fused

RANKINGS = st.lists(st.lists(st.integers(0, 20), unique=True), min_size=1, max_size=4)


def test_first_in_every_ranking_scores_one():
    assert fused([["a", "b"], ["a", "c"]])[0] == ("a", 1.0)


def test_second_in_both_beats_first_in_one():
    order = [key for key, _ in fused([["a", "b"], ["c", "b"]])]
    assert order[0] == "b"


def test_scores_are_those_of_the_paper_up_to_scale():
    scores = dict(fused([["a", "b"], ["b"]]))
    assert scores["a"] / scores["b"] == (1 / 61) / (1 / 62 + 1 / 61)


@given(RANKINGS)
def test_every_key_comes_once_with_a_score_within_one(rankings):
    result = fused(rankings)
    assert {key for key, _ in result} == {key for ranking in rankings for key in ranking}
    assert all(0 < score <= 1 for _, score in result)
    assert [s for _, s in result] == sorted((s for _, s in result), reverse=True)


@given(RANKINGS, st.integers(0, 20))
def test_moving_a_key_to_the_front_never_lowers_it(rankings, key):
    before = dict(fused(rankings)).get(key, 0.0)
    lifted = [[key, *(k for k in rankings[0] if k != key)], *rankings[1:]]
    assert dict(fused(lifted))[key] >= before

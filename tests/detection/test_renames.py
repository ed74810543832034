"""A renamed category is named as such when it is certain, and not guessed otherwise."""

import pytest

from agentops_graph.detection.categories import category_profile
from agentops_graph.detection.renames import renames
from agentops_graph.detection.shift_triggers import said_unseen

BEFORE = category_profile(["DE"] * 500 + ["FR"] * 300 + ["AT"] * 200)


@pytest.mark.parametrize(
    ("now", "found"),
    [
        (["de"] * 50 + ["fr"] * 30 + ["at"] * 20, {"DE": "de", "FR": "fr", "AT": "at"}),
        (["Germany"] * 50 + ["FR"] * 30 + ["AT"] * 20, {"DE": "Germany"}),
        (["D-E "] * 9 + ["FR"] * 71 + ["AT"] * 20, {"DE": "D-E "}),
        (["DE"] * 50 + ["FR"] * 25 + ["AT"] * 15 + ["CH"] * 10, {}),
        (["X"] * 25 + ["Y"] * 25 + ["FR"] * 30 + ["AT"] * 20, {}),
        (["X"] * 25 + ["Y"] * 25 + ["DE"] * 50, {}),
        (["DE"] * 50 + ["FR"] * 30 + ["AT"] * 20, {}),
        ([None] * 50, {}),
        ([], {}),
    ],
    ids=["case", "one", "marks", "new", "split", "two that fit two", "none", "missing", "empty"],
)
def test_a_rename_is_found_only_when_it_is_certain(now, found):
    assert renames(BEFORE, category_profile(now)) == found


def test_new_names_without_a_rename_are_listed_with_their_share():
    now = category_profile(["DE"] * 80 + ["CH"] * 15 + ["LI"] * 5)
    assert said_unseen("country", BEFORE, now) == "country: 'CH', 'LI' in 20% of the rows"


def test_a_name_from_the_log_can_neither_flood_nor_break_a_line():
    now = category_profile(["x" * 500] * 50 + ["a\nb\x00"] * 50)
    said = said_unseen("country", BEFORE, now)
    assert said == f"country: 'a?b?', '{'x' * 40}...' in 100% of the rows"

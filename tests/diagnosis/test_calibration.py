"""The confidence is a rising line through how often answers were right."""

import json

from hypothesis import given
from hypothesis import strategies as st

from agentops_graph.diagnosis.calibration import SHIPPED, Calibration, isotonic, shipped
from evals.diagnosis.__main__ import CALIBRATION, DESIGN, HELD_BACK
from evals.diagnosis.calibrate import SEEDS

CASES = st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=60)


def test_what_ships_says_from_which_cases_it_was_fitted():
    found = json.loads(SHIPPED.read_text())
    last = CALIBRATION + SEEDS - 1
    assert f"seeds {CALIBRATION} to {last}, kept for calibration" in found["made_from"]
    assert DESIGN < CALIBRATION <= last < HELD_BACK
    assert shipped().temperature == found["temperature"] > 0


@given(CASES, st.floats(0, 1), st.floats(0, 1))
def test_a_higher_probability_never_gives_a_lower_confidence(cases, one, two):
    fitted = Calibration(1.0, isotonic(cases, prior_cases=4), "test")
    low, high = sorted((one, two))
    assert 0 <= fitted.of(low) <= fitted.of(high) + 1e-9 <= 1 + 2e-9


def test_answers_that_are_right_half_as_often_as_they_say_are_believed_less():
    cases = [(0.8, number % 5 < 2) for number in range(200)]
    fitted = Calibration(1.0, isotonic(cases, prior_cases=4), "test")
    assert 0.4 < fitted.of(0.8) < 0.5


def test_one_lucky_case_proves_little():
    fitted = Calibration(1.0, isotonic([(0.5, True)], prior_cases=4), "test")
    assert fitted.of(0.5) <= 0.6

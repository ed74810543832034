"""Fault points do nothing unless a test arms them, and every one stands somewhere in the loop."""

import ast
import timeit
from pathlib import Path

import pytest

from agentops_graph import faults
from agentops_graph.effects import _pass
from agentops_graph.journal import AGENTS

PACKAGE = Path(faults.__file__).parent


@pytest.fixture(autouse=True)
def _harmless():
    yield
    faults.disarm()


def test_an_armed_point_does_what_it_was_told_each_time_it_is_passed():
    passed = []
    faults.arm("effect.after_call", lambda: passed.append("once"))
    faults.fault("effect.after_call")
    _pass("do", "after_call")
    faults.fault("undo.after_call")
    assert passed == ["once", "once"]
    faults.disarm()
    faults.fault("effect.after_call")
    assert passed == ["once", "once"]


def test_a_point_that_does_not_exist_can_not_be_armed():
    with pytest.raises(ValueError, match=r"no fault point 'effect.after_lunch'; known: admission"):
        faults.arm("effect.after_lunch", lambda: None)


def test_a_point_that_nobody_armed_costs_next_to_nothing():
    assert min(timeit.repeat(lambda: faults.fault("job.written"), number=1000, repeat=5)) < 0.002


def test_nothing_but_this_process_can_arm_a_point():
    source = Path(faults.__file__).read_text()
    assert "environ" not in source
    assert callers("arm") == set()


def test_every_point_stands_in_the_product():
    literal = callers("fault")
    nodes = {f"{node}.{when}" for node in AGENTS for when in ("before", "after")}
    executor = {f"{way}.{moment}" for way in ("effect", "undo") for moment in moments()}
    assert literal | nodes | executor == set(faults.POINTS)


def callers(name):
    """The literal first arguments of every call of this function in the package."""
    return {
        call.args[0].value
        for file in PACKAGE.rglob("*.py")
        for call in ast.walk(ast.parse(file.read_text()))
        if isinstance(call, ast.Call)
        and getattr(call.func, "id", getattr(call.func, "attr", None)) == name
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }


def moments():
    tree = ast.parse((PACKAGE / "effects.py").read_text())
    return {
        call.args[1].value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and getattr(call.func, "id", None) == "_pass"
    }

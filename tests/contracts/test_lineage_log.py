"""Contract of `LineageLog`: each edge once, and no more than so many."""

import itertools
from datetime import timedelta

import pytest

from agentops_graph.adapters.memory import lineage as memory_lineage
from agentops_graph.adapters.sqlalchemy_ledger import lineage as sql_lineage
from agentops_graph.domain.lineage.fragment import KEPT_FOR, Edge, Fragment, Node
from agentops_graph.domain.lineage.openlineage import JobFailure
from tests.contracts.desk import AT, after, at_once


def chain(*names, origin="openlineage"):
    nodes = {Node(origin, name, "table" if n % 2 else "pipeline") for n, name in enumerate(names)}
    edges = {Edge(origin, a, b) for a, b in itertools.pairwise(names)}
    return Fragment(frozenset(nodes), frozenset(edges))


def test_what_was_sent_is_kept_with_kinds_and_told_twice_it_is_there_once(desk):
    desk.lineage_log.keep(chain("etl/load", "raw.orders"), AT)
    edition = desk.lineage_log.edition()
    desk.lineage_log.keep(chain("etl/load", "raw.orders"), after(60))
    assert desk.lineage_log.kept() == chain("etl/load", "raw.orders")
    assert desk.lineage_log.edition() == edition


def test_the_edition_changes_with_what_is_kept(desk):
    seen = [desk.lineage_log.edition()]
    for names in (("a", "b"), ("b", "c")):
        desk.lineage_log.keep(chain(*names), AT)
        seen.append(desk.lineage_log.edition())
    assert len(set(seen)) == 3
    assert {e.source for e in desk.lineage_log.kept().edges} == {"a", "b"}


def test_what_was_not_told_of_for_long_is_let_go_and_what_was_stays(desk):
    desk.lineage_log.keep(chain("old", "x"), AT)
    desk.lineage_log.keep(chain("kept", "x"), AT)
    desk.lineage_log.keep(chain("kept", "x"), AT + KEPT_FOR / 2)
    edition = desk.lineage_log.edition()
    desk.lineage_log.keep(chain("new", "x"), AT + KEPT_FOR + timedelta(seconds=1))
    assert {e.source for e in desk.lineage_log.kept().edges} == {"kept", "new"}
    assert desk.lineage_log.edition() != edition


def test_a_job_name_with_a_date_in_it_fills_no_ledger(desk, monkeypatch):
    for module in (memory_lineage, sql_lineage):
        monkeypatch.setattr(module, "MOST_KEPT", 5)
    for number in range(12):
        desk.lineage_log.keep(chain(f"load_{number:02}", "raw.orders"), after(number))
    kept = {e.source for e in desk.lineage_log.kept().edges}
    assert kept == {f"load_{number:02}" for number in range(7, 12)}


def test_one_event_with_thousands_of_names_is_kept_whole(desk):
    names = [f"t{number}" for number in range(1201)]
    desk.lineage_log.keep(chain(*names), AT)
    assert len(desk.lineage_log.kept().edges) == 1200


def failure(run_id="r1", job="etl/load"):
    return JobFailure(job=job, run_id=run_id, at=AT, message="no space left")


def test_a_failed_run_is_claimed_by_one_alone(desk):
    outcomes = at_once(lambda _: desk.lineage_log.claim(failure(), AT))
    assert sorted(outcomes) == [False] * 5 + [True]
    assert desk.lineage_log.claim(failure("r2"), AT)
    assert desk.lineage_log.claim(failure(job="etl/other"), AT)


def test_a_failed_run_that_was_released_may_be_claimed_again(desk):
    assert desk.lineage_log.claim(failure(), AT)
    desk.lineage_log.release(failure())
    assert desk.lineage_log.claim(failure(), AT)


def test_claims_are_forgotten_after_the_time_that_edges_are_kept_for(desk):
    assert desk.lineage_log.claim(failure(), AT)
    assert not desk.lineage_log.claim(failure(), AT + KEPT_FOR)
    assert desk.lineage_log.claim(failure(), AT + KEPT_FOR + timedelta(seconds=1))


@pytest.mark.parametrize("name", ["名前.表", "a'b\"c", "x" * 500])
def test_odd_names_come_back_as_they_were(desk, name):
    desk.lineage_log.keep(chain(name, "x"), AT)
    assert desk.lineage_log.kept() == chain(name, "x")

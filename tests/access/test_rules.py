"""One tenant judges, counts and replays nothing of another's."""

from datetime import UTC, datetime, timedelta

import pytest

from agentops_graph.domain.story import kin_of
from agentops_graph.errors import ForbiddenError, NotFoundError


def test_a_tenant_judges_its_own_incidents_only(desk):
    own, theirs = desk.report("fraud_model"), desk.report("churn-model")
    north = desk.at("operator", "north")
    north.judge(own, "right", actor="x", via="cli")
    with pytest.raises(NotFoundError, match=theirs):
        north.judge(theirs, "right", actor="x", via="cli")
    with pytest.raises(NotFoundError, match=theirs):
        north.judge(own, "duplicate", of=theirs, actor="x", via="cli")
    with pytest.raises(ForbiddenError):
        desk.at("viewer", "north").judge(own, "right", actor="x", via="cli")


def test_noise_and_back_test_are_of_the_tenants_components(desk):
    desk.report("fraud_model")
    desk.report("churn-model")
    south = desk.at("viewer", "south")
    assert {row.component for row in south.noise(90)} == {"churn-model"}
    now = datetime.now(UTC)
    desk.workshop.warehouse.create_tables()
    found = south.backtest(None, now - timedelta(hours=3), now)
    assert {rule.component for rule in found.rules} == {"churn-model"}
    with pytest.raises(NotFoundError):
        south.backtest("fraud_model", now - timedelta(hours=3), now)


def test_a_silence_of_another_tenant_is_not_told_of(desk):
    desk.service.silence("fraud_model", hours=5, reason="secret launch", actor="mia")
    now = datetime.now(UTC)
    desk.workshop.warehouse.create_tables()
    south = desk.at("viewer", "south").backtest(None, now - timedelta(hours=3), now)
    late = timedelta(hours=1)
    everyone = desk.service.backtest(None, now - timedelta(hours=3), now + late)
    assert not [words for words in south.silent if "S-1" in words]
    assert [words for words in everyone.silent if "S-1" in words]


def test_incidents_are_never_shared_between_tenants(desk):
    components = desk.workshop.ports.components
    claim = desk.workshop.ports.log.alerts(desk.report("fraud_model"))[0]
    assert kin_of(claim, components, datetime.now(UTC)) == ()

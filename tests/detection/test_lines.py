"""A finding in its threshold's terms, and the line that parts right from false."""

from datetime import UTC, datetime, timedelta

import pytest

from agentops_graph.detection.lines import better_line, figure_of
from agentops_graph.domain.alert import Finding

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def finding(metric, value, threshold, baseline=None, alert_type="latency"):
    return Finding(
        component="x",
        alert_type=alert_type,
        severity="warning",
        metric=metric,
        value=value,
        threshold=threshold,
        baseline=baseline,
        window_start=NOW - timedelta(hours=1),
        window_end=NOW,
        summary="said",
    )


@pytest.mark.parametrize(
    ("given", "setting", "level", "line", "is_above"),
    [
        (finding("drift_score", 0.47, 0.3), "aggregate_psi", 0.47, 0.3, True),
        (finding("current_f1", 0.72, 0.855, 0.9), "metric_drop", 0.2, 0.05, True),
        (finding("current_mae", 12.0, 10.5, 10.0), "metric_drop", 0.2, 0.05, True),
        (finding("volume_ratio", 0.2, 0.5, 1.0), "volume_low", 0.2, 0.5, False),
        (finding("volume_ratio", 3.0, 2.0, 1.0), "volume_high", 3.0, 2.0, True),
        (finding("total_cost", 30.0, 20.0, 10.0), "cost_ratio", 3.0, 2.0, True),
        (finding("latency_p95", 1200.0, 1000.0, 300.0), "agent_latency_p95_ms", 1200, 1000, True),
        (finding("latency_p95", 600.0, 450.0, 300.0), None, 2.0, 1.5, True),
        (finding("a_metric_of_tomorrow", 0.1, 0.4), None, 0.1, 0.4, False),
    ],
)
def test_a_finding_is_told_in_the_unit_of_its_setting(given, setting, level, line, is_above):
    figure = figure_of(given)
    assert figure.setting == setting
    assert figure.level == pytest.approx(level)
    assert figure.line == pytest.approx(line)
    assert figure.is_above is is_above


@pytest.mark.parametrize(
    ("right", "wrong", "is_above", "line"),
    [
        ([0.6, 0.8], [0.32, 0.35, 0.4], True, 0.5),
        ([0.6, 0.8], [0.32, 0.7], True, 0.46),
        ([1200.0], [1190.0, 1199.0], True, 1199.5),
        ([0.1, 0.2], [0.4, 0.45], False, 0.3),
        ([0.6], [0.6, 0.9], True, None),
        ([], [0.4], True, None),
        ([0.5], [], True, None),
    ],
)
def test_the_better_line_keeps_every_right_one_and_drops_what_it_can(right, wrong, is_above, line):
    found = better_line(right, wrong, is_above=is_above)
    assert found == (None if line is None else pytest.approx(line))
    if found is not None:
        crossed = [level > found if is_above else level < found for level in right]
        assert all(crossed)

"""A component that makes no sense is refused where it stands."""

import pytest

from agentops_graph.adapters.yaml_components import read_components
from agentops_graph.domain.component import Component
from agentops_graph.errors import InputError


@pytest.mark.parametrize(
    ("threshold", "value"),
    [
        ("aggregate_psi", -0.3),
        ("metric_drop", 0),
        ("drift_window_s", 0),
        ("drift_min_rows", 0),
        ("volume_low", 1.5),
        ("volume_high", 0.5),
        ("anomaly_rate", 7),
        ("agent_error_rate", -1),
        ("cost_ratio", ".nan"),
    ],
)
def test_a_threshold_out_of_range_is_refused_with_file_and_line(tmp_path, threshold, value):
    file = tmp_path / "components.yaml"
    file.write_text(
        "components:\n  - name: ok\n  - name: fraud\n    thresholds:\n"
        f"      session_minutes: 5\n      {threshold}: {value}\n"
    )
    with pytest.raises(InputError, match=rf"^components.yaml:6: thresholds.{threshold}: "):
        read_components(file)


def test_a_health_window_of_no_length_is_refused(tmp_path):
    file = tmp_path / "components.yaml"
    file.write_text("components:\n  - name: fraud\n    health: {seconds: 0}\n")
    with pytest.raises(InputError, match=r"components.yaml:3: health.seconds: .*greater than 0"):
        read_components(file)


def test_an_unknown_field_is_refused_with_its_entry(tmp_path):
    file = tmp_path / "components.yaml"
    file.write_text("components:\n  - name: fraud\n    colour: red\n")
    with pytest.raises(InputError, match=r"components.yaml:3: colour: Extra inputs"):
        read_components(file)


def test_defaults_are_within_their_ranges(tmp_path):
    file = tmp_path / "components.yaml"
    default = Component(name="fraud")
    file.write_text(f"components: [{default.model_dump_json()}]\n")
    assert read_components(file) == {"fraud": default}

"""The map of lineage: read anew when files change, and as it last was when they break."""

import logging
import os
from datetime import UTC, datetime

import pytest

from agentops_graph import atlas
from agentops_graph.atlas import Atlas
from agentops_graph.bootstrap import Workshop
from agentops_graph.domain.component import Component
from agentops_graph.domain.lineage.fragment import Edge, Fragment, Node
from agentops_graph.domain.redaction import forget_secrets
from agentops_graph.errors import InputError, UnavailableError
from agentops_graph.monitor import tick
from agentops_graph.settings import read_settings
from tests.dbt_project import write_shop

COMPONENTS = """\
components:
  - {name: fraud-detector}
  - {name: orders, kind: pipeline}
"""
SOURCES = """\
lineage:
  dbt: target/manifest.json
"""


@pytest.fixture
def home(tmp_path):
    (tmp_path / "target").mkdir()
    (tmp_path / "components.yaml").write_text(COMPONENTS)
    (tmp_path / "sources.yaml").write_text(SOURCES)
    write_shop(tmp_path / "target" / "manifest.json")
    return tmp_path


def opened(home):
    return Workshop(read_settings({}, home=home, mlflow=False))


def rewritten(path, text):
    path.write_text(text)
    later = path.stat().st_mtime + 10  # two writes within one tick of the clock
    os.utime(path, (later, later))


def test_a_manifest_ties_a_feed_to_the_model_behind_it(home):
    chart = opened(home).ports.lineage.current()
    assert chart.distance("orders", "fraud-detector") == 3
    assert chart.things["orders"].is_watched
    assert chart.troubles == []


def test_a_manifest_that_was_written_anew_is_read_anew(home):
    lineage = opened(home).ports.lineage
    first = lineage.current()
    assert lineage.current() is first
    manifest = home / "target" / "manifest.json"
    rewritten(manifest, manifest.read_text().replace("fraud_detector", "churn"))
    assert lineage.current().distance("orders", "fraud-detector") is None


def test_a_broken_manifest_is_told_and_the_last_good_map_stays(home, caplog):
    workshop = opened(home)
    lineage, manifest = workshop.ports.lineage, home / "target" / "manifest.json"
    good = manifest.read_text()
    assert lineage.current().distance("orders", "fraud-detector") == 3
    with caplog.at_level(logging.WARNING):
        rewritten(manifest, good[:1000])
        for _ in range(3):
            broken = lineage.current()
    assert broken.distance("orders", "fraud-detector") == 3
    assert [r.levelname for r in caplog.records] == ["WARNING"]
    (trouble,) = broken.troubles
    assert "is not JSON, or is cut off" in trouble
    assert tick(workshop.ports).notes["lineage"] == [trouble]
    rewritten(manifest, good + " ")
    assert lineage.current().troubles == []
    assert "lineage" not in tick(workshop.ports).notes


def test_a_file_that_is_gone_is_told_and_another_origin_still_counts(home):
    (home / "sources.yaml").write_text(SOURCES + "  edges: [orders -> fraud-detector]\n")
    lineage = opened(home).ports.lineage
    (home / "target" / "manifest.json").unlink()
    chart = lineage.current()
    assert chart.distance("orders", "fraud-detector") == 1
    assert "No such file" in chart.troubles[0]


def test_without_a_section_the_map_is_that_of_the_feeds(tmp_path):
    (tmp_path / "components.yaml").write_text(
        "components: [{name: m, feeds: [f, nobody]}, {name: f, kind: pipeline}]"
    )
    ports = opened(tmp_path).ports
    chart = ports.lineage.current()
    assert [one.name for one in chart.upstream("m")] == ["f", "nobody"]
    assert ports.lineage_log is None


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("lineage:\n  edges:\n    - orders\n", "must name two things", 3),
        ("lineage:\n  dbtt: manifest.json\n", "dbtt: unknown; did you mean dbt", 2),
        ("lineage:\n  max_hops: 0\n", "greater than or equal to 1", 2),
        ("lineage:\n  mlflow: perhaps\n", "valid boolean", 2),
        ("lineage: [a]\n", "valid dictionary", 1),
    ],
)
def test_a_mistake_in_the_section_is_refused_with_its_line(home, text, said, line):
    (home / "sources.yaml").write_text(text)
    with pytest.raises(InputError, match=said) as refused:
        _ = opened(home).ports
    assert refused.value.field == f"sources.yaml:{line}"


class Flaky:
    """An origin that is down when it is told to be."""

    name = "flaky"

    def __init__(self):
        self.is_down, self.asked = False, 0

    def stamp(self):
        return 1

    def read(self):
        self.asked += 1
        if self.is_down:
            raise UnavailableError("no answer; password=hunter2hunter2")
        nodes = frozenset(Node("flaky", name) for name in ("a", "m"))
        return Fragment(nodes, frozenset({Edge("flaky", "a", "m")}))


def test_an_origin_that_is_down_rests_before_it_is_asked_again_and_then_comes_back(monkeypatch):
    forget_secrets()  # of tests before this one
    now = [0.0]
    monkeypatch.setattr(atlas, "monotonic", lambda: now[0])
    origin = Flaky()
    origin.is_down = True
    lineage = Atlas({"m": Component(name="m")}, [origin])
    troubles = [lineage.current().troubles for _ in range(3)]
    assert origin.asked == 1
    assert troubles == [["flaky: no answer; password=[credential removed]"]] * 3
    origin.is_down = False
    now[0] += atlas.REST_S
    chart = lineage.current()
    assert chart.troubles == []
    assert chart.distance("a", "m") == 1


class Odd(Flaky):
    def read(self):
        raise PermissionError("/shared/lineage")


def test_an_origin_that_nobody_can_read_stops_no_look(monkeypatch):
    lineage = Atlas({"m": Component(name="m")}, [Odd(), Flaky()])
    (trouble,) = lineage.current().troubles
    assert trouble.startswith("flaky: PermissionError")
    assert lineage.current().distance("a", "m") == 1


def test_events_that_were_kept_are_on_the_map_of_every_process(home):
    sent = Fragment(
        frozenset({Node("openlineage", "etl/x", "pipeline"), Node("openlineage", "pg/t", "table")}),
        frozenset({Edge("openlineage", "etl/x", "pg/t")}),
    )
    one, other = opened(home).ports, opened(home).ports
    assert "etl/x" not in other.lineage.current().things
    one.lineage_log.keep(sent, datetime.now(UTC))
    for ports in (one, other):
        assert ports.lineage.current().distance("etl/x", "pg/t") == 1

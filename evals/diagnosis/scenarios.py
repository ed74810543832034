"""The labelled cases: faults with an expert's answer, cases that can't flatter, and controls."""

from functools import partial

from evals.detection.watched import KINDS
from evals.diagnosis.around import (
    Surround,
    after,
    busier,
    damaged,
    innocent,
    poisoned,
    quiet,
    released,
    two_guilty,
    with_feed,
    without_changes,
    without_feed,
    without_registry,
)
from evals.diagnosis.faults import faulty
from evals.diagnosis.scenario import TOLD_PEOPLE, Group, Scenario

SCHEMA = frozenset({"upstream_schema_change"})
NULLS = frozenset({"vendor_nulls", "source_outage"})
PEOPLE = frozenset({TOLD_PEOPLE})
RETRAIN, ROLLBACK = frozenset({"retrain_model"}), frozenset({"rollback_model"})
RERUN, SCALE = frozenset({"rerun_pipeline"}), frozenset({"scale_infrastructure"})
SHIFT = frozenset({"shift_traffic"})


def _of(
    kind: str,
    around: Surround,
    cause: str | frozenset[str],
    first: frozenset[str],
    *,
    said: str = "",
    group: Group = "fault",
    hours: int = 14,
) -> Scenario:
    """A fault of the detection's injector in some surroundings."""
    found = KINDS[kind]
    causes = frozenset({cause}) if isinstance(cause, str) else cause
    name = f"{kind}{said}"
    return Scenario(name, group, found.make, found.trunk, causes, first, around, hours)


def _made(
    kind: str, around: Surround, cause: str, first: frozenset[str], **more: object
) -> Scenario:
    """A fault of this evaluation's own."""
    name = f"{kind}{more.pop('said', '')}"
    group: Group = more.pop("group", "fault")  # type: ignore[assignment]
    causes = frozenset({cause}) if cause else frozenset[str]()
    make = partial(faulty, kind)
    return Scenario(name, group, make, "model", causes, first, around, **more)  # type: ignore[arg-type]


MAYBE_SCHEMA = after("schema_change", of_feed=True, always=False)
FAULTS = (
    _of("unit change", MAYBE_SCHEMA, SCHEMA, RETRAIN),
    _of("unit change in a season", MAYBE_SCHEMA, SCHEMA, RETRAIN),
    _of("column swap", after("schema_change", of_feed=True, always=False), "column_mix_up", RERUN),
    _of("vendor nulls", with_feed(nulls=0.3), NULLS, RERUN),
    _of("category rename", MAYBE_SCHEMA, "category_rename", RERUN),
    _of("time-zone shift", quiet, "time_zone_shift", RERUN),
    _of("gradual drift", quiet, "population_drift", RETRAIN, hours=20),
    _made("holiday traffic", after("holiday"), "seasonal_shift", PEOPLE),
    _of("label flip", quiet, "label_fault", PEOPLE),
    _made("concept drift", quiet, "concept_drift", RETRAIN),
    _of("model regression after deploy", released(), "bad_release", ROLLBACK),
    _of(
        "model regression after deploy",
        damaged,
        "training_data_damage",
        ROLLBACK,
        said=", damaged training",
    ),
    _of("latency step", released(), "larger_model_version", ROLLBACK, said=", new version"),
    _of(
        "latency step",
        after("infrastructure"),
        "infrastructure_saturation",
        SCALE,
        said=", machines",
    ),
    _of("latency step", after("vendor_api_change"), "dependency_slow", PEOPLE, said=", vendor"),
    _of("latency ramp", busier("traffic_shift"), "traffic_growth", SCALE, said=", traffic"),
    _of("latency ramp", released(), "memory_leak", ROLLBACK, said=", new version"),
    _of("partial load (feed)", after("job_failed", always=False), "partial_load", RERUN),
    _of("duplicate load (feed)", after("backfill", always=False), "duplicate_load", PEOPLE),
    _of("late data (feed)", after("job_delayed"), "late_data", PEOPLE),
    _of("time-zone shift (feed)", quiet, "time_zone_shift", RERUN),
    _of("vendor nulls (feed)", after("vendor_api_change", always=False), "vendor_nulls", RERUN),
    _of("provider outage", after("provider_incident"), "provider_incident", SHIFT),
    _of("provider outage", after("key_rotation"), "key_or_quota", PEOPLE, said=", key"),
    _of("provider outage", after("infrastructure"), "network_fault", PEOPLE, said=", network"),
    _of("provider outage", after("deploy"), "bad_client_release", ROLLBACK, said=", release"),
    _of("token bloat", after("prompt_change", always=False), "token_bloat", ROLLBACK),
    _of("memory leak", after("deploy", always=False), "memory_leak", ROLLBACK, hours=24),
    _of("latency step (agent)", after("provider_incident"), "dependency_slow", PEOPLE),
    _of("latency ramp (agent)", busier("traffic_shift"), "traffic_growth", SCALE),
)
HARD = (
    _of(
        "unit change",
        innocent("deploy", (120, 300), of_feed=True, more=quiet),
        SCHEMA,
        RETRAIN,
        said=", innocent deploy",
        group="red herring",
    ),
    _of(
        "label flip",
        innocent("schema_change", (120, 330), of_feed=True, more=quiet),
        "label_fault",
        PEOPLE,
        said=", innocent schema change",
        group="red herring",
    ),
    _of(
        "latency step",
        innocent("infrastructure", (150, 340), of_feed=False, more=released()),
        "larger_model_version",
        ROLLBACK,
        said=", innocent machines",
        group="red herring",
    ),
    _of(
        "duplicate load (feed)",
        innocent("schema_change", (120, 330), of_feed=True, more=quiet),
        "duplicate_load",
        PEOPLE,
        said=", innocent schema change",
        group="red herring",
    ),
    _of(
        "unit change",
        without_changes,
        SCHEMA,
        RETRAIN,
        said=", no changes kept",
        group="missing signals",
    ),
    _of(
        "unit change",
        without_feed,
        SCHEMA,
        RETRAIN,
        said=", no feed known",
        group="missing signals",
    ),
    _of(
        "unit change",
        without_registry,
        SCHEMA,
        RETRAIN,
        said=", registry silent",
        group="missing signals",
    ),
    _of(
        "unit change",
        poisoned("bad_release"),
        SCHEMA,
        RETRAIN,
        said=", wrong past",
        group="poisoned precedent",
    ),
    _of(
        "label flip",
        poisoned("concept_drift"),
        "label_fault",
        PEOPLE,
        said=", wrong past",
        group="poisoned precedent",
    ),
    _of(
        "time-zone shift",
        poisoned("upstream_schema_change"),
        "time_zone_shift",
        RERUN,
        said=", wrong past",
        group="poisoned precedent",
    ),
    _of(
        "column swap",
        quiet,
        "column_mix_up",
        RERUN,
        said=", nothing recorded",
        group="no guilty change",
    ),
    _of(
        "category rename",
        quiet,
        "category_rename",
        RERUN,
        said=", nothing recorded",
        group="no guilty change",
    ),
    _made(
        "unit change and latency",
        MAYBE_SCHEMA,
        "upstream_schema_change",
        RETRAIN,
        group="dual fault",
    ),
    _of(
        "vendor nulls",
        after("schema_change", of_feed=True, more=with_feed(nulls=0.3)),
        NULLS,
        RERUN,
        said=" and a schema change",
        group="dual fault",
    ),
)
AMBIGUOUS = (
    _of(
        "latency ramp",
        poisoned("memory_leak"),
        frozenset(),
        frozenset(),
        said=", only the past speaks",
        group="ambiguous",
    ),
    _of(
        "latency step",
        quiet,
        frozenset(),
        frozenset(),
        said=", nothing recorded",
        group="ambiguous",
    ),
    _of(
        "latency step (agent)",
        quiet,
        frozenset(),
        frozenset(),
        said=", nothing recorded",
        group="ambiguous",
    ),
    _of(
        "latency ramp",
        quiet,
        frozenset(),
        frozenset(),
        said=", nothing recorded",
        group="ambiguous",
    ),
    _of(
        "provider outage",
        quiet,
        frozenset(),
        frozenset(),
        said=", nothing recorded",
        group="ambiguous",
    ),
    _of(
        "latency step",
        two_guilty,
        frozenset(),
        frozenset(),
        said=", two suspects",
        group="ambiguous",
    ),
)
RECOVERED = tuple(
    Scenario(
        f"{kind}, over by itself",
        "recovered",
        partial(faulty, kind, ends_after_h=1.0),
        "model",
        recovers=True,
        hours=2,
    )
    for kind in ("unit change", "latency step")
)
CONTROLS = tuple(
    Scenario(name, "control", KINDS[name].make, KINDS[name].trunk, hours=4)
    for name in ("harmless deploy", "seasonal shift", "weekend", "holiday volume", "late evening")
)
SCENARIOS = {one.name: one for one in (*FAULTS, *HARD, *AMBIGUOUS, *RECOVERED, *CONTROLS)}

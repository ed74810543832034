"""Evidence: what was measured, where, how, and which signals it gives."""

from typing import Literal

from pydantic import Field

from agentops_graph.domain.record import Moment, Name, Record, Scalar

EvidenceKind = Literal[
    "metric_history",
    "feature_drift",
    "error_pattern",
    "data_quality",
    "changes",
    "model_versions",
    "similar_incidents",
    "runbook_sections",
    "service_health",
    "infrastructure",
    "logs",
    "rest",
    "blindness",
    "root_cause_ranking",
    "version_diff",
    "pipeline_runs",
    "provider_status",
    "costs",
]

SIGNALS = {
    "few_features_drifted": "one to five features drifted and the others did not",
    "many_features_drifted": "a third or more of the features drifted",
    "drift_abrupt": "the change has one clear starting moment",
    "drift_gradual": "the change grew over the window",
    "feature_scaled": "a drifted feature was multiplied by a factor (unit or scale)",
    "feature_shifted": "a drifted feature moved by a constant",
    "feature_nulls": "a drifted feature has many more missing values",
    "features_swapped": "two drifted features each look like the other did",
    "feature_moved_by_hours": "a drifted feature of time moved by a whole number of hours",
    "category_renamed": "a category is gone and a new one has its place",
    "categories_new": "a drifted feature has categories that the reference never had",
    "drift_growing": "the drift rose over hours and not at one moment",
    "drift_large": "a drifted feature moved by more than its own spread",
    "errors_everywhere": "new errors fall on every kind of row alike, as wrong labels do",
    "errors_concentrated": "new errors lie where one feature has certain values",
    "accuracy_dropped": "the primary metric is below its baseline, judged with an interval",
    "accuracy_steady": "the primary metric is where it was",
    "drift_seen": "feature distributions left the reference",
    "quality_bad": "an upstream pipeline reports violations or missing values above the limit",
    "volume_low": "an upstream feed delivers less than half of the expected rows",
    "volume_high": "an upstream feed delivers more than twice the expected rows",
    "feed_empty": "an upstream feed delivers nothing",
    "feed_nulls": "a feed's batches have more missing values than the limit",
    "feed_violations": "a feed's batches break their schema in more records than the limit",
    "feed_overdue": "no batch came for three times the usual gap",
    "batches_small": "batches come, each with far fewer records than usual at this time",
    "batches_large": "batches come, each with far more records than usual at this time",
    "batches_repeated": "batches are there twice, alike in every figure",
    "batch_times_shifted": "batches are stamped hours ahead of or behind their time",
    "requests_high": "the component gets far more requests than before",
    "latency_high": "latency is above its limit",
    "latency_step": "latency rose at one moment",
    "latency_ramp": "latency grew slowly",
    "errors_high": "the error rate is above its limit",
    "cost_high": "cost per request or total cost is above its limit",
    "cost_risen": "cost per request grew",
    "tokens_high": "tokens per request grew",
    "memory_high": "memory is above its limit",
    "memory_growing": "memory grows steadily and is not given back",
    "sessions_long": "a session runs longer than its limit",
    "false_positives_high": "the policy refuses more than its limit of harmless requests",
    "new_version_before_onset": "a model version went live shortly before the onset",
    "seasonal_date": "the calendar explains the change (a holiday, a sale, the end of a month)",
    "training_data_damaged": "the serving version was trained on data with quality faults",
    "infrastructure_moved": "a figure declared of the infrastructure moved with the onset",
    "log_errors_new": "a log has errors since the onset that it did not have before",
    "log_timeouts": "new or risen faults in a log tell of time-outs",
    "log_schema_errors": "new or risen faults in a log tell of fields or types that don't fit",
    "log_auth_errors": "new or risen faults in a log tell of refused or expired credentials",
    "log_out_of_memory": "new or risen faults in a log tell of too little memory",
    "log_disk_full": "new or risen faults in a log tell of a full disk",
    "log_rate_limited": "new or risen faults in a log tell of a rate limit or a quota",
    "log_connection_errors": "new or risen faults in a log tell of connections that fail",
    "log_silent": "a log that had lines before the onset has none since",
    "provider_down": "a provider's own status says that it is down or degraded",
    "upstream_moved_first": "a feed's series left its usual range before the component's own did",
    "moved_first_here": "the component's series left their usual range before those around it",
    "similar_incident": "a confirmed past incident looks the same",
    "source_blind": "looks at several components or several looks at one got no answer of a source",
    "source_down": "a source refused, could not be reached or is gone",
    "source_slow": "a source was locked or did not answer in time",
    "source_garbled": "a source answered what can't be read",
}
CHANGE_PREFIX = "change:"  # `change:KIND` for any kind of event in the CHANGES table


class Got(Record):
    """How a piece of evidence was got, and what that cost."""

    ms: float = Field(ge=0)
    reads: int = Field(default=0, ge=0)  # questions put to the source
    reused: int = Field(default=0, ge=0)  # answers that this incident had already
    rows: int = Field(default=0, ge=0)  # looked at, read or reused

    @property
    def in_words(self) -> str:
        """Such as `12 ms, 3 reads, 1 reused, 345 rows`."""
        counted = [f"{self.ms:.0f} ms", f"{self.reads} read{'' if self.reads == 1 else 's'}"]
        counted += [f"{self.reused} reused"] if self.reused else []
        return ", ".join([*counted, f"{self.rows} row{'' if self.rows == 1 else 's'}"])


class Evidence(Record):
    """One observation with everything needed to check it again."""

    evidence_id: Name
    incident_id: Name
    kind: EvidenceKind
    source: str  # table, registry or shelf it was read from
    query: str  # the typed read, with its parameters
    summary: str
    values: dict[str, Scalar] = Field(default_factory=dict)
    signals: dict[str, float] = Field(default_factory=dict)  # 1 seen .. -1 looked for and absent
    references: tuple[str, ...] = ()  # runbook sections or incident ids it names
    measured_at: Moment
    status: Literal["ok", "absent", "failed"] = "ok"
    got: Got | None = None  # older ledgers did not write it down
    widened_to: Moment | None = None  # nothing was found at first, and from then on was looked
    file: str | None = None  # in the data folder: all of it, where it is too long for here


def merged_signals(evidence: tuple[Evidence, ...]) -> dict[str, float]:
    """Every signal at its strongest value, seen winning over absent."""
    merged: dict[str, float] = {}
    for piece in evidence:
        for signal, strength in piece.signals.items():
            merged[signal] = max(strength, merged.get(signal, -1.0))
    return merged

"""What a diagnosis claims, one sentence a signal, with the evidence and the figures it rests on."""

from collections.abc import Mapping

from agentops_graph.diagnosis.scoring import SIMILAR, Weighed
from agentops_graph.domain.diagnosis import Claim
from agentops_graph.domain.evidence import CHANGE_PREFIX, SIGNALS, Evidence
from agentops_graph.domain.record import Scalar

FIGURES_SHOWN = 4
# Figures that show a signal, by the beginning of their names; others are left to the evidence.
SHOWN_BY = {
    "few_features_drifted": ("drifted_features", "features"),
    "many_features_drifted": ("drifted_features", "features"),
    "drift_seen": ("drift_score", "drifted_features"),
    "drift_large": ("drift_score",),
    "feature_scaled": ("scale_",),
    "feature_shifted": ("shift_",),
    "feature_moved_by_hours": ("hours_",),
    "feature_nulls": ("missing_",),
    "categories_new": ("unseen_",),
    "errors_everywhere": ("wrong", "apart"),
    "errors_concentrated": ("wrong", "apart"),
    "new_version_before_onset": ("newest_before_onset", "hours_before_onset"),
    "latency_high": ("latency_p99", "latency_p95"),
    "errors_high": ("error_rate",),
    "cost_high": ("cost_per_request", "total_cost"),
    "requests_high": ("requests",),
}
# A feed's figures stand under its name: `payments.volume_ratio`.
SHOWN_AFTER_NAME = {
    "volume_low": ("volume_ratio",),
    "volume_high": ("volume_ratio",),
    "feed_empty": ("volume_ratio",),
    "quality_bad": ("worst_batch",),
    "feed_nulls": ("nulls",),
    "feed_overdue": ("overdue_gaps",),
    "batches_small": ("batch_size",),
    "batches_large": ("batch_size",),
    "batches_repeated": ("copies",),
}
SURE_OF_METRIC = ("accuracy_dropped", "accuracy_steady")


def claims_of(best: Weighed | None, evidence: tuple[Evidence, ...]) -> tuple[Claim, ...]:
    """The named cause's signals that weigh anything, the heaviest first; none while no cause is
    named."""
    if best is None:
        return ()
    return claims_from(best.effects, evidence)


def claims_from(effects: Mapping[str, float], evidence: tuple[Evidence, ...]) -> tuple[Claim, ...]:
    """Of what each signal added to a cause or took, those that this evidence speaks of."""
    telling = [signal for signal, effect in effects.items() if effect]
    ordered = sorted(telling, key=lambda signal: -abs(effects[signal]))
    found = (_claim(signal, effects[signal], evidence) for signal in ordered)
    return tuple(claim for claim in found if claim is not None)


def _claim(signal: str, weight: float, evidence: tuple[Evidence, ...]) -> Claim | None:
    carriers = [piece for piece in evidence if piece.signals.get(signal)]
    if not carriers:
        return None
    piece = max(carriers, key=lambda e: e.signals[signal])
    if signal == SIMILAR:
        return _precedents(weight, piece)
    is_seen = piece.signals[signal] > 0
    figures = figures_of(signal, piece)
    told = ", ".join(f"{name} = {in_words(value)}" for name, value in figures.items())
    meaning = SIGNALS.get(signal) or f"a {signal.removeprefix(CHANGE_PREFIX)} near the onset"
    said = f"{meaning}: {'yes' if is_seen else 'no'}" + (f" ({told})" if told else "")
    return Claim(
        signal=signal,
        seen=is_seen,
        weight=round(weight, 3),
        evidence_id=piece.evidence_id,
        text=said,
        figures=figures,
    )


def _precedents(weight: float, piece: Evidence) -> Claim | None:
    """The bonus is the cause's own: confirmed incidents that ended with it."""
    if weight <= 0 or piece.status != "ok":
        return None
    return Claim(
        signal=SIMILAR,
        seen=True,
        weight=round(weight, 3),
        evidence_id=piece.evidence_id,
        text=f"{SIGNALS[SIMILAR]}: yes, and its cause was this one",
    )


def figures_of(signal: str, piece: Evidence) -> dict[str, Scalar]:
    """Those of the evidence that show the signal, as they stand there."""
    begins = SHOWN_BY.get(signal, ())
    ends = SHOWN_AFTER_NAME.get(signal, ())
    chosen = [
        name
        for name in piece.values
        if name.startswith(begins or ("\0",))
        or name.rpartition(".")[2] in ends
        or (signal in SURE_OF_METRIC and f"baseline_{name}" in piece.values)
        or (signal in SURE_OF_METRIC and name.startswith("baseline_"))
    ]
    return {name: piece.values[name] for name in chosen[:FIGURES_SHOWN]}


def in_words(value: Scalar) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)

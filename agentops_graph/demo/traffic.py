"""Scores the demo's transactions and writes the tables that a serving team would write."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse
from agentops_graph.demo.training import figures, frame
from agentops_graph.demo.world import (
    FEATURES,
    MODEL,
    PIPELINE,
    VENDOR_CHANGE_SUMMARY,
    Batch,
    after_vendor_change,
    transactions,
)
from agentops_graph.domain.frames import Change

if TYPE_CHECKING:
    import numpy as np

ROWS_PER_HOUR = 60_000
BUCKET = timedelta(minutes=5)
# Chargebacks arrive late; live rows of the demo get their label at once, and the docs say so.
LABEL_DELAY = timedelta(minutes=2)
CHANGE_LEAD = timedelta(minutes=4)  # the vendor switched this long before the first bad row
ROW = "{" + ", ".join(f'"{name}": %.4f' for name in FEATURES) + "}"


@dataclass(frozen=True)
class Span:
    """A stretch of traffic, and since when the feed delivers changed features."""

    since: datetime
    until: datetime
    changed_from: datetime | None

    def is_changed(self, at: datetime) -> bool:
        return self.changed_from is not None and at >= self.changed_from


class Traffic:
    """Feature pipeline, scorer and logger of the fraud detector."""

    def __init__(
        self, warehouse: SqliteWarehouse, rng: np.random.Generator, *, tag: str = "past"
    ) -> None:
        self._warehouse = warehouse
        self._rng = rng
        self._tag = tag  # keeps the ids of a second run apart
        self._written = 0

    def back_fill(self, span: Span, model: Any, version: str) -> int:
        """Writes the whole span in steps of five minutes; returns the number of predictions."""
        if span.changed_from is not None:
            self.announce_change(span.changed_from - CHANGE_LEAD)
        labelled_until = span.until - LABEL_DELAY
        logs: list[dict[str, object]] = []
        for begin, end in _buckets(span):
            rows = round(ROWS_PER_HOUR * (end - begin).total_seconds() / 3600)
            batch = self.next_batch(rows, changed=span.is_changed(begin))
            logs += self.score(batch, begin, end, model, version, labelled_until=labelled_until)
        return self._warehouse.write("PREDICTION_LOGS", logs)

    def score(
        self,
        batch: Batch,
        begin: datetime,
        end: datetime,
        model: Any,
        version: str,
        *,
        labelled_until: datetime,
    ) -> list[dict[str, object]]:
        """Prediction rows of one batch, spread evenly; its metrics and quality rows are written."""
        import numpy as np

        confidence = model.predict_proba(frame(batch.features))[:, 1]
        predicted = (confidence >= 0.5).astype(np.float64)
        latency = self._rng.gamma(4.0, 4.0, len(batch)).round(2)
        self._write_figures(batch, begin, version, predicted, confidence, latency)
        first, self._written = self._written, self._written + len(batch)
        times = _spread(begin, end, len(batch))
        known = sum(1 for at in times if at < labelled_until)
        columns = zip(
            times,
            batch.features.tolist(),
            predicted.tolist(),
            confidence.round(4).tolist(),
            batch.fraud.tolist(),
            latency.tolist(),
            strict=True,
        )
        return [
            {
                "timestamp": at.isoformat(timespec="microseconds"),
                "prediction_id": f"{self._tag}-{first + number:09d}",
                "model_name": MODEL,
                "model_version": version,
                "segment": None,
                "features": ROW % tuple(values),
                "prediction": prediction,
                "confidence": sure,
                "actual_label": fraud if number < known else None,
                "latency_ms": ms,
            }
            for number, (at, values, prediction, sure, fraud, ms) in enumerate(columns)
        ]

    def announce_change(self, at: datetime) -> None:
        """What the vendor's changelog said, where people keep such events."""
        self._warehouse.record_change(
            Change(at=at, kind="schema_change", subject=PIPELINE, summary=VENDOR_CHANGE_SUMMARY)
        )

    def write(self, rows: list[dict[str, object]]) -> None:
        self._warehouse.write("PREDICTION_LOGS", rows)

    def next_batch(self, rows: int, *, changed: bool) -> Batch:
        """What the feed delivers now."""
        batch = transactions(rows, self._rng)
        return after_vendor_change(batch) if changed else batch

    def _write_figures(
        self, batch: Batch, at: datetime, version: str, predicted: Any, confidence: Any, ms: Any
    ) -> None:
        import numpy as np

        self._warehouse.write(
            "MODEL_METRICS",
            [
                {
                    "timestamp": at,
                    "model_name": MODEL,
                    "model_version": version,
                    "segment": None,
                    **figures(batch.fraud, predicted, confidence),
                    "drift_score": None,  # measured by the monitor from the rows themselves
                    "latency_p99": float(np.quantile(ms, 0.99)),
                }
            ],
        )
        # The vendor's rows are well-formed, which is why nobody saw the change coming.
        self._warehouse.write(
            "DATA_QUALITY",
            [
                {
                    "timestamp": at,
                    "pipeline_name": PIPELINE,
                    "null_rate": float(np.isnan(batch.features).mean()),
                    "schema_violations": int((batch.features[:, -1] < 0).sum()),
                    "record_count": len(batch),
                    "status": "ok",
                }
            ],
        )


def _buckets(span: Span) -> Iterator[tuple[datetime, datetime]]:
    """Five-minute steps that end at the span's end and break where the feed changed."""
    begin = span.since
    while begin < span.until:
        end = min(begin + BUCKET, span.until)
        if span.changed_from is not None and begin < span.changed_from < end:
            end = span.changed_from
        yield begin, end
        begin = end


def _spread(begin: datetime, end: datetime, rows: int) -> list[datetime]:
    step = (end - begin) / max(rows, 1)
    return [begin + step * number for number in range(rows)]

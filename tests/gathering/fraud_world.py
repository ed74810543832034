"""A small fraud detector on a real warehouse, healthy or with V14 and V17 broken."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse
from agentops_graph.detection.profile import profile_of
from agentops_graph.domain.component import Component

NAMES = [*(f"V{i}" for i in range(1, 29)), "Amount"]
NOW = datetime(2026, 2, 28, 14, 0, tzinfo=UTC)
MODEL = Component(name="fraud-detector", feeds=("transactions",), expected_rows_per_hour=1200)


def drawn(rng, count):
    features = rng.normal(size=(count, 29))
    features[:, 28] = rng.lognormal(3, 1, size=count)
    score = features[:, 13] + features[:, 16] + 0.15 * rng.normal(size=count)
    return features, (score > 1.66).astype(float)


def swapped(features):
    """V14 and the amount in each other's place."""
    features = features.copy()
    features[:, [13, 28]] = features[:, [28, 13]]
    return features


def rescaled(features):
    """One column in another unit."""
    features = features.copy()
    features[:, 13] = features[:, 13] * 2.4 + 1.0
    return features


def broken(features):
    """As after a change of unit upstream: both still carry what they carried."""
    features = features.copy()
    features[:, 13] = features[:, 13] * 2.4 + 1.0
    features[:, 16] = features[:, 16] * 0.5
    return features


@dataclass
class World:
    warehouse: SqliteWarehouse
    component: Component
    now: datetime

    def reference(self, seed=99, count=6000, version="2"):
        features, labels = drawn(np.random.default_rng(seed), count)
        columns = dict(zip(NAMES, features.T, strict=True))
        predictions = (features[:, 13] + features[:, 16] > 1.66).astype(float)
        hits = 2 * np.sum((predictions == 1) & (labels == 1))
        f1 = hits / (np.sum(predictions == 1) + np.sum(labels == 1))
        profile = profile_of("fraud-detector", version, columns, {"f1": f1}, self.now)
        self.warehouse.save_reference(profile)
        return profile

    def log(
        self,
        *,
        hours=2.0,
        until=None,
        per_hour=1200,
        seed=0,
        onset=None,
        fault=broken,
        version="2",
        **more,
    ):
        """Scored and labelled rows; from `onset` on they arrive broken."""
        rng = np.random.default_rng(seed)
        until = until or self.now
        count = int(hours * per_hour)
        features, labels = drawn(rng, count)
        offsets = np.sort(rng.uniform(0, hours * 3600, count))
        times = [until - timedelta(hours=hours) + timedelta(seconds=float(s)) for s in offsets]
        if onset is not None:
            after = np.array([at >= onset for at in times])
            features[after] = fault(features[after])
        predicted = (features[:, 13] + features[:, 16] > 1.66).astype(float)
        latency = rng.lognormal(3, 0.3, count)
        self.warehouse.write(
            "PREDICTION_LOGS",
            (
                {
                    "timestamp": times[i],
                    "prediction_id": f"{version}-{seed}-{i}",
                    "model_name": "fraud-detector",
                    "model_version": version,
                    "features": dict(zip(NAMES, features[i].tolist(), strict=True)),
                    "prediction": predicted[i],
                    "confidence": 0.9,
                    "actual_label": labels[i],
                    "latency_ms": latency[i],
                }
                | more
                for i in range(count)
            ),
        )

    def batches(self, *, hours=30.0, until=None, every_s=600, records=200, violations=0, nulls=0.0):
        until = until or self.now
        count = int(hours * 3600 / every_s)
        self.warehouse.write(
            "DATA_QUALITY",
            (
                {
                    "timestamp": until - timedelta(seconds=every_s * (i + 0.5)),
                    "pipeline_name": "transactions",
                    "null_rate": nulls,
                    "schema_violations": violations,
                    "record_count": records,
                    "status": "ok",
                }
                for i in range(count)
            ),
        )

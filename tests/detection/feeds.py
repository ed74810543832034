"""A feed of payments for the tests of contracts: one seed, one batch."""

import numpy as np
import pandas as pd


def payments(seed=0, rows=2000):
    """A healthy batch with every kind of column."""
    rng = np.random.default_rng(seed)
    # From 500 ids on: a batch goes on where the one before has ended.
    first = seed * rows
    late = pd.to_timedelta(np.sort(rng.integers(0, 3600, rows)), unit="s")
    return pd.DataFrame(
        {
            "payment_id": np.arange(first, first + rows),
            "amount": rng.lognormal(3, 0.8, rows).round(2),
            "celsius": rng.normal(12, 6, rows),
            "share": rng.beta(2, 5, rows),
            "country": rng.choice(["AT", "DE", "FR", "IT"], rows, p=[0.1, 0.5, 0.3, 0.1]),
            "order": [f"AB-{n}" for n in rng.integers(1, 99_999, rows)],
            "clock": [
                f"{h}:{m:02d} {x}.m."
                for h, m, x in zip(
                    rng.integers(1, 13, rows),
                    rng.integers(0, 60, rows),
                    rng.choice(["a", "p"], rows),
                    strict=True,
                )
            ],
            "discount": np.where(rng.random(rows) < 0.1, np.nan, rng.exponential(5, rows)),
            "is_new": rng.random(rows) < 0.3,
            "at": pd.Timestamp("2026-03-01 10:00", tz="UTC") + late,
        }
    )


def kinds(report):
    """What was found that counts, by column."""
    return {(breach.kind, breach.column) for breach in report.breaches if breach.counted}

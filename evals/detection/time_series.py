"""Scores the time-series detectors: the labelled NAB series, and generated streams.

`python -m evals.detection.time_series [--seeds N]`. The labelled series are read from
`../shared/data`, or from the folder that AGENTOPS_EVAL_DATA names.
"""

import argparse
import sys
from datetime import UTC, datetime, timedelta
from types import ModuleType

import numpy as np

from agentops_graph.detection.changepoint import onset_of
from agentops_graph.detection.feed_triggers import usual_totals
from agentops_graph.detection.rise import rise_since, suspected
from agentops_graph.detection.season import without_season
from agentops_graph.detection.triggers import Window, volume
from agentops_graph.detection.unusual import judge
from agentops_graph.domain.component import Component
from agentops_graph.domain.frames import Series
from evals.detection.streams import CONTROLS, DAYS, FAULTS, STEP_S, Stream, stream
from evals.shared_sets import scorer

SCORER = "score_nab"
HOUR = 3600.0
DAY = 24 * HOUR
PUBLISHED = {
    "Numenta": 74.3,
    "ARTime": 70.8,
    "random cut forest": 60.0,
    "windowed Gaussian": 49.9,
    "Twitter": 43.2,
    "rolling z, |z| >= 6": 41.2,
}


def nab(module: ModuleType) -> dict[str, dict[str, float]]:
    """The scores of all series and of each folder of them, with the shipped defaults."""
    series = module.load()
    alarms = {}
    for name, (table, _) in series.items():
        times = table.timestamp.to_numpy().astype("datetime64[s]").astype(np.float64)
        alarms[name] = judge(times, table.value.to_numpy(dtype=np.float64)).alarms
    groups = {"all series": series}
    for folder in sorted({name.split("/")[0] for name in series}):
        groups[folder] = {n: v for n, v in series.items() if n.startswith(folder)}
    return {label: module.score(alarms, group) for label, group in groups.items()}


def first_alert(case: Stream) -> tuple[float, float | None] | None:
    """Moment and stated onset of the first alert, looking once an hour over three days."""
    for end in np.arange((DAYS - 3) * DAY + HOUR, DAYS * DAY + 1, HOUR):
        found = _volume(case, end) if case.is_volume else _rise(case, end)
        if found is not None:
            return float(end), found
        # A control of a rise is a control of the volume as well.
        if case.onset is None and _volume(case, end) is not None:
            return float(end), None
    return None


def _rise(case: Stream, end: float) -> float | None:
    seen = case.times < end
    times, values, since = case.times[seen], case.values[seen], end - HOUR
    day = times >= since - DAY
    if not suspected(times[day], values[day], since):
        return None
    found = rise_since(times, values, since)
    if found is None:
        return None
    return since if found.onset is None else found.onset.at


def _volume(case: Stream, end: float) -> float | None:
    start = datetime.fromtimestamp(end - HOUR, UTC)
    window = Window(Component(name="feed", kind="pipeline"), start, start + timedelta(hours=1))
    before = case.times < end - HOUR
    usual = usual_totals(
        Series(case.times[before], {"record_count": case.values[before]}), "record_count", window
    )
    now = (case.times >= end - HOUR) & (case.times < end)
    if usual is None or volume(window, float(case.values[now].sum()), usual) is None:
        return None
    times = case.times[case.times < end]
    onset = onset_of(
        times[times >= times[-1] - DAY], without_season(times, case.values[: len(times)])
    )
    return end - HOUR if onset is None else onset.at


def faults(kind: str, seeds: int) -> dict[str, float]:
    """Recall, median delay and onset error (minutes), and alerts before the fault."""
    delays, errors, early = [], [], 0
    for seed in range(seeds):
        case = stream(kind, seed)
        found = first_alert(case)
        if found is None or case.onset is None:
            continue
        if found[0] <= case.onset:
            early += 1
            continue
        delays.append((found[0] - case.onset) / 60)
        errors.append(abs((found[1] or found[0]) - case.onset) / 60)
    middle = [float(np.median(many)) if many else float("nan") for many in (delays, errors)]
    return {
        "recall": len(delays) / seeds,
        "delay": middle[0],
        "onset_error": middle[1],
        "early": early,
    }


def false_alarms_a_month(kind: str, seeds: int) -> float:
    """Streams alerted on, a component-month (30 days) of watching."""
    alerted = sum(first_alert(stream(kind, seed)) is not None for seed in range(seeds))
    return alerted * 30 / (3 * seeds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    seeds = parser.parse_args().seeds
    module = scorer(SCORER)
    if module is None:
        print("SKIPPED: no labelled series; set AGENTOPS_EVAL_DATA to their folder")
    else:
        for label, r in nab(module).items():
            print(
                f"{label:24} NAB {r['nab']:5.1f}  windows {r['hit']}/{r['windows']}"
                f"  false alarms {r['per_1000']:.2f} per 1,000 rows"
            )
        print("  the defaults were chosen on these series; published, over NAB's whole corpus:")
        for label, score in PUBLISHED.items():
            print(f"  {label:22} NAB {score:5.1f}")
    print(f"\n{seeds} streams of a kind, one row in {STEP_S // 60} min, looked at once an hour")
    for kind in FAULTS:
        r = faults(kind, seeds)
        print(
            f"{kind:24} recall {r['recall']:.2f}  delay {r['delay']:4.0f} min"
            f"  onset off by {r['onset_error']:4.0f} min  alerts before it {r['early']:.0f}"
        )
    for kind in CONTROLS:
        print(f"{kind:24} false alarms a component-month {false_alarms_a_month(kind, seeds):.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What the reads that a language model asks for see."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from agentops_graph.domain.redaction import redacted
from agentops_graph.errors import NotEnoughDataError
from agentops_graph.gathering.case import LOOK_BACK, SLACK, Case, Observed, typed_read
from agentops_graph.gathering.drift_measures import shift_between
from agentops_graph.gathering.log_evidence import QUOTED, shown
from agentops_graph.gathering.metric_evidence import reference_of
from agentops_graph.gathering.rows import picked

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats, Predictions, SeriesTable
    from agentops_graph.domain.record import Scalar
    from agentops_graph.evidence_ports import LogSource

Arguments = Mapping[str, Any]
FEATURES_OFFERED = 60  # a longer list fills a small window
COLUMNS_TOLD = 8
CHANGES_TOLD = 8
SECTIONS_TOLD = 3
LINES_TOLD = 5
TEXT_TOLD = 300  # characters of a section


def series(case: Case, arguments: Arguments) -> Observed:
    """Each measure before the onset and since: its medians and its largest value."""
    subject, hours = str(arguments["subject"]), int(arguments["hours"])
    start, end = case.onset - timedelta(hours=hours), case.now
    kind = case.component.kind if subject == case.component.name else "pipeline"
    if kind == "model":
        start = max(start, case.window.start - LOOK_BACK)  # a busy model has many rows
        rows = case.ports.warehouse.predictions(subject, start, end)
        query = typed_read("predictions", start, end, model=subject)
        return _told(case, query, "PREDICTION_LOGS", rows.timestamps, _measures(rows))
    table: SeriesTable = "agent_metrics" if kind == "agent" else "data_quality"
    read = case.ports.warehouse.series(table, subject, start, end)
    query = typed_read("series", start, end, table=table, subject=subject)
    return _told(case, query, table.upper(), read.timestamps, read.columns)


def _measures(rows: Predictions) -> dict[str, Floats]:
    failed = np.isnan(rows.prediction).astype(float)
    labelled = np.isfinite(rows.label) & np.isfinite(rows.prediction)
    wrong = np.where(labelled, (rows.label != rows.prediction).astype(float), np.nan)
    return {
        "latency_ms": rows.latency_ms,
        "confidence": rows.confidence,
        "failed": failed,
        "wrong": wrong,
    }


def _told(
    case: Case, query: str, source: str, timestamps: Floats, columns: Mapping[str, Floats]
) -> Observed:
    since = timestamps >= case.onset.timestamp()
    values: dict[str, Scalar] = {"rows": int((~since).sum()), "rows_since": int(since.sum())}
    told = []
    for name in list(columns)[:COLUMNS_TOLD]:
        before, now = _known(columns[name][~since]), _known(columns[name][since])
        if len(before) and len(now):
            pair = float(before.mean()), float(now.mean())
            values |= {f"{name}.before": pair[0], f"{name}.since": pair[1]}
            told.append(f"{name} mean {pair[0]:.4g} before the onset, {pair[1]:.4g} since")
    said = "; ".join(told) or "no measure has values on both sides of the onset"
    return Observed(source, query, said, values, found=bool(told))


def _known(values: Floats) -> Floats:
    return values[np.isfinite(values)]


def changes(case: Case, arguments: Arguments) -> Observed:
    """What was recorded of one subject over more hours than are read at first."""
    subject, hours = str(arguments["subject"]), int(arguments["hours"])
    start = case.onset - timedelta(hours=hours)
    query = typed_read("changes", start, case.now, subjects=subject)
    try:
        found = case.ports.warehouse.changes((subject,), start, case.now)
    except NotEnoughDataError as error:
        return Observed("CHANGES", query, f"changes are not recorded: {error}", found=False)
    told = [
        f"{change.at:%Y-%m-%d %H:%M} {change.kind} of {change.subject}: {change.summary}"
        for change in found
    ]
    said = redacted("; ".join(told[-CHANGES_TOLD:])) or "no changes recorded"
    whole = tuple(told) if len(told) > CHANGES_TOLD else ()
    values: dict[str, Scalar] = {"changes": len(found)}
    return Observed("CHANGES", query, said, values, found=bool(found), whole=whole)


def sections(case: Case, arguments: Arguments) -> Observed:
    words = str(arguments["words"])
    found = case.ports.shelf.search(words, components=case.comparable, limit=SECTIONS_TOLD)
    told = [
        f"{page.reference} ({'confirmed' if page.confirmed else 'not confirmed by a person'}): "
        f"{page.title}: {' '.join(redacted(page.text).split())[:TEXT_TOLD]}"
        for page in found
    ]
    references = tuple(page.reference for page in found)
    said = "; ".join(told) or "no section matches"
    query = f'search("{words}")'
    return Observed("runbooks", query, said, {"sections": len(found)}, {}, references, bool(found))


def features_of(case: Case) -> list[str]:
    """Those of the model's reference, the alert's own first."""
    if case.component.kind != "model":
        return []
    named = [name for finding in case.alert.findings for name in finding.features]
    reference = reference_of(case)
    known = list(reference.features) if reference else []
    return list(dict.fromkeys([*(n for n in named if n in known), *known]))[:FEATURES_OFFERED]


def drift_of_feature(case: Case, arguments: Arguments) -> Observed:
    """One feature's rows since the onset against its reference and the hour before."""
    feature, window = str(arguments["feature"]), case.window
    query = typed_read("predictions", window.start, window.end, model=case.component.name)
    rows, inside = case.rows()
    reference = reference_of(case)
    since = picked(rows, inside)
    if reference is None or feature not in since.features or not len(since):
        return Observed("PREDICTION_LOGS", query, f"no rows with {feature}", found=False)
    now, before = since.features[feature], picked(rows, ~inside).features.get(feature, np.empty(0))
    psi = shift_between(reference, since).by_feature.get(feature)
    values: dict[str, Scalar] = {"rows": len(now), "missing": float(np.isnan(now).mean())}
    told = [f"{feature}: {values['missing']:.1%} missing"]
    if psi is not None:
        values["psi"] = float(psi)
        told.append(f"PSI {psi:.3f}")
    for name, part in (("since", now), ("before", before)):
        known = _known(part)
        if len(known):
            values |= {f"mean_{name}": float(known.mean()), f"sd_{name}": float(known.std())}
            told.append(f"mean {known.mean():.4g} and sd {known.std():.4g} {name} the onset")
    return Observed("PREDICTION_LOGS", query, ", ".join(told), values)


def logs_of(case: Case) -> list[str]:
    return list(_logs(case))


def _logs(case: Case) -> dict[str, tuple[LogSource, str]]:
    return {
        f"{source.name}/{target}": (source, target)
        for source in case.ports.logs
        for target in source.targets(case.subjects)
    }


def lines(case: Case, arguments: Arguments) -> Observed:
    """The first lines since the onset with those words, quoted so that nobody takes them for
    ours."""
    declared, target = _logs(case)[str(arguments["log"])]
    source = case.counted(declared, f"log:{declared.name}")
    words = str(arguments["words"])
    start = case.window.start - SLACK
    read = source.lines(target, start, case.window.end)
    found = [line for line in read.lines if words.casefold() in line.text.casefold()]
    told = [f"«{shown(line.text, QUOTED).replace('»', '›')}»" for line in found[:LINES_TOLD]]
    whole = tuple(line.text for line in found) if len(found) > LINES_TOLD else ()
    said = f"{len(found)} of {len(read.lines)} lines hold these words: {'; '.join(told)}"
    query = typed_read("lines", start, case.window.end, of=target) + f' with "{words}"'
    values: dict[str, Scalar] = {"lines": len(read.lines), "found": len(found)}
    about = f"log {declared.name}"
    return Observed(about, query, said, values, found=bool(found), whole=whole)

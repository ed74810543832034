"""A first `components.yaml` from what a warehouse holds, with the reasons as comments."""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from math import ceil
from shlex import quote

from agentops_graph.domain.component import Thresholds
from agentops_graph.domain.discovery import Subject, guess
from agentops_graph.domain.redaction import redacted

PLAIN = re.compile(r"[A-Za-z][\w.-]*$")
# YAML reads these as something else than text.
TAKEN = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}
NAMED = 8
MARGIN = 1.25  # rows do not come evenly
MOST_HOURS = 7 * 24  # of a window; a longer one tells of last month
LONGEST = 160

HEAD = """\
# What agentops watches: a first draft from what {source} held on {on}.
# Read it, mend it, then: agentops watch check. Every field: docs/components.md.
# A guess has its reason beside it; what begins with "# " is off until you take that away.
"""
NOTHING = """\
components: []
# Nothing was found there. Load rows (docs/warehouse.md) and run this again, or write it by hand:
# components:
#   - name: fraud-detector            # as in PREDICTION_LOGS.model_name and the model registry
#     kind: model                     # model | pipeline | agent
#     task: binary
#   - name: transactions
#     kind: pipeline
"""


def components_text(subjects: Sequence[Subject], *, source: str, on: datetime) -> str:
    """The file's text; valid as it stands."""
    head = HEAD.format(source=said(source), on=f"{on:%Y-%m-%d}")
    watched = [s for s in subjects if s.rows or s.metrics]
    rest = [s for s in subjects if not (s.rows or s.metrics)]
    feeds = [s.name for s in watched if s.kind == "pipeline"]
    lines = [line for subject in watched for line in _entry(subject, feeds, on)]
    body = "components:\n" + "\n".join(lines) + "\n" if lines else NOTHING
    return head + body + "".join(f"{line}\n" for s in rest for line in _registered_only(s))


def _entry(subject: Subject, feeds: Sequence[str], on: datetime) -> Iterator[str]:
    yield f"  - name: {yaml_name(subject.name)}"
    yield f"    kind: {subject.kind}"
    made = guess(subject)
    if made is not None:
        yield f"    task: {made.task}  # {said(made.reason)}"
        yield f"    metric: {made.metric}"
    elif subject.kind == "model":
        yield "    # task: binary  # nothing tells it: no labels, no predictions, no known metric"
    yield from _volume(subject)
    if subject.kind == "model":
        yield from _window(subject)
        yield from _of_a_model(subject, feeds, on)
    yield "    # every_s: 60  # between two looks; docs/components.md"


def _volume(subject: Subject) -> Iterator[str]:
    if subject.rows_per_hour is None or subject.kind == "agent":
        return
    unit = "records" if subject.kind == "pipeline" else "predictions"
    usual = max(1, round(subject.rows_per_hour))
    span = f"{subject.first_at:%Y-%m-%d} to {subject.last_at:%Y-%m-%d}"
    yield f"    # expected_rows_per_hour: {usual}  # the mean of its {unit}, {span}; day and night"


def _window(subject: Subject) -> Iterator[str]:
    """One that is as long as it takes for enough rows; without one they can't be judged."""
    usual = Thresholds()
    needed, hour = usual.drift_min_rows, 3600
    rate = subject.rows_per_hour
    if not rate or rate * usual.drift_window_s / hour >= needed:
        return
    hours = ceil(MARGIN * needed / rate)
    if hours <= MOST_HOURS:
        why = (
            f"{rate:.3g} rows an hour; {needed} (drift_min_rows) take {hours} h, with some to spare"
        )
        yield f"    thresholds: {{drift_window_s: {hours * hour}}}  # {why}"


def _of_a_model(subject: Subject, feeds: Sequence[str], on: datetime) -> Iterator[str]:
    if feeds:
        yield f"    # feeds: [{', '.join(map(yaml_name, feeds[:NAMED]))}]  # those that feed it"
    if subject.segments:
        shown = ", ".join(said(name) for name in subject.segments[:NAMED])
        yield f"    # segments seen: {shown[:LONGEST]}; they are judged apart without being named"
    if subject.registered:
        yield f"    # in the registry: version {said(subject.registered)} is production"
        yield "    # entry_points: {retrain_model: agentops_graph.jobs.retraining:retrain}"
    yield from _reference(subject, on)


def _reference(subject: Subject, on: datetime) -> Iterator[str]:
    version = f" version {said(subject.version)}" if subject.version else ""
    if subject.reference_of is not None and subject.reference_of == subject.version:
        yield f"    # drift: a reference profile of{version or ' it'} is there"
        return
    if subject.last_at is None or subject.first_at is None:
        return
    until = subject.last_at.date()
    since = max(subject.first_at.date(), until - timedelta(days=7))
    until = until if since < until else until + timedelta(days=1)
    whose = version or " it"
    yield f"    # drift is not judged: no reference profile of{whose}; take one of good days:"
    if said(subject.name) != subject.name:  # cut, cleared or unprintable: no command can name it
        yield "    #   agentops reference NAME, with its name as it stands in the rows"
        return
    yield f"    #   agentops reference {quote(subject.name)} --from {since} --until {until}"


def _registered_only(subject: Subject) -> Iterator[str]:
    yield f"#  - name: {said(subject.name)}  # in the model registry, and no row of it was found"


def said(text: object) -> str:
    """Text of unknown origin, harmless inside a comment of one line."""
    plain = "".join(c if c.isprintable() else " " for c in redacted(str(text)))
    return " ".join(plain.split())[:LONGEST]


def yaml_name(name: str) -> str:
    """The name as YAML reads it back word for word."""
    is_plain = PLAIN.match(name) and name.lower() not in TAKEN
    if is_plain:
        return name
    written = json.dumps(name, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in written)

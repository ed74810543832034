"""How fast log lines are read, grouped into templates and kept: lines a second.

`python -m benchmarks.logs --lines 100000` writes a log of many forms in a folder of its own, with a
fault that begins in its second half, and goes the way that evidence goes.
"""

import argparse
import json
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agentops_graph.adapters.evidence_files import EvidenceFiles
from agentops_graph.adapters.file_logs import FileLogSource
from agentops_graph.detection.logs.ranking import Spans, ranked, signals
from agentops_graph.detection.logs.templates import TemplateTree
from agentops_graph.domain.redaction import redacted
from agentops_graph.domain.sources.logs import FileLogs
from agentops_graph.encryption import NO_RING
from benchmarks.peak import peak_mb

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FAULT = 'ERROR loader: batch {n} failed: column "amount" does not exist'


def written(count: int, path: Path) -> None:
    """An hour of a busy service: some forty forms of line, and the fault from its middle on."""
    rng = random.Random(7)
    forms = [form for n in range(8) for form in _forms(n)]
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            at = NOON + timedelta(seconds=3600 * number / count)
            broken = number > count / 2 and rng.random() < 0.01
            form = FAULT if broken else rng.choice(forms)
            said = form.format(
                n=number, x=rng.random(), h=f"{rng.getrandbits(64):x}", r=number % 997
            )
            file.write(f"{at:%Y-%m-%d %H:%M:%S},{number % 1000:03d} {said}\n")


def _forms(n: int) -> Iterator[str]:
    yield f"INFO stage{n}.loader: loaded batch {{n}} with {{r}} rows in {{x:.3f}} s"
    yield f"INFO http: GET /api/v{n}/orders/{{n}}?page={{r}} 200 {{r}}ms client=10.0.{n}.7"
    yield f"DEBUG cache {n}: key 'user:{{r}}' hit, id={{h}}"
    yield f"WARNING pool-{n}: connection {{h}} slow for user bob{{r}} after {{r}} ms"
    yield f'{{{{"level": "info", "msg": "order of node {n}", "order": {{n}}, "eur": {{x:.2f}}}}}}'


def measure(count: int, folder: Path) -> dict[str, float]:
    path = folder / "service.log"
    written(count, path)
    declared = FileLogs(
        name="service",
        kind="files",
        path=str(path),
        components=("c",),
        max_lines=1_000_000,
        max_bytes=1_000_000_000,
        timeout_s=12,
    )
    start = time.perf_counter()
    read = FileLogSource(declared, folder).lines("c", NOON, NOON + timedelta(hours=1))
    read_s = time.perf_counter() - start
    start = time.perf_counter()
    tree = TemplateTree((NOON + timedelta(minutes=30)).timestamp())
    tree.add(read.lines)
    found = ranked(tree.templates, Spans(1800, 1800))
    given = signals(found)
    group_s = time.perf_counter() - start
    start = time.perf_counter()
    EvidenceFiles(folder, NO_RING).keep("INC", "all", (redacted(line.text) for line in read.lines))
    keep_s = time.perf_counter() - start
    if found[0].standing != "new" or given["log_schema_errors"] != 1:
        raise SystemExit("the fault was not found")
    return {
        "lines": len(read.lines),
        "templates": len(found),
        "read_lines_per_s": len(read.lines) / read_s,
        "group_lines_per_s": len(read.lines) / group_s,
        "keep_lines_per_s": len(read.lines) / keep_s,
        "all_s": read_s + group_s + keep_s,
        "peak_mb": peak_mb(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(args.lines, Path(folder))
    if args.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:>20} {value:,.1f}")


if __name__ == "__main__":
    main()

"""Asks the chat what people ask, over a prepared world, and checks what the answers say.

`python -m evals.chat [--json] [--misses]`; exit code 1 when fewer than 95% of all, or 85% of those
held back, are right. The answers were mended on `design.yaml` and, after it was measured once, on
`seen.yaml`; on `held_back.yaml`, and on `blind.yaml`, which was written later, they were only ever
measured.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from agentops_graph.chat import Asker, Result, answer
from agentops_graph.service import Service
from evals.chat.world import prepared
from evals.model_choice import Choice, add_options
from evals.model_choice import chosen as chosen_reasoner

HERE = Path(__file__).parent
# Of three dozen held-back questions 95% is within chance of 85%.
AIMS = {"all": 0.95, "held_back": 0.85, "blind": 0.85}
HALVES = ("design", "seen", "held_back", "blind")
Turn = dict[str, Any]


def conversations(half: str) -> list[list[Turn]]:
    return yaml.safe_load((HERE / f"{half}.yaml").read_text(encoding="utf-8"))


def asked(service: Service, question: str, about: str | None) -> Result:
    *_, result = answer(service, question, Asker(name="mia"), incident_id=about)
    assert isinstance(result, Result)
    return result


def faults_of(turn: Turn, text: str) -> list[str]:
    """What an answer should say and does not, or says and should not."""
    low = text.lower()
    missing = [
        f"does not say {wanted!r}"
        for wanted in turn["says"]
        if not any(one.lower() in low for one in str(wanted).split("|"))
    ]
    said = [f"says {word!r}" for word in turn.get("never", ()) if str(word).lower() in low]
    return missing + said


def scored(service: Service, half: str) -> list[dict[str, Any]]:
    """One row for each turn; a turn means what its conversation was about before it."""
    rows = []
    for turns in conversations(half):
        about: str | None = None
        for turn in turns:
            begun = time.perf_counter()
            result = asked(service, turn["ask"], about)
            rows.append(
                {
                    "half": half,
                    "ask": turn["ask"],
                    "faults": faults_of(turn, result.text),
                    "ms": round((time.perf_counter() - begun) * 1000, 1),
                    "answer": result.text,
                }
            )
            about = result.incident_id or about
    return rows


def figures(rows: list[dict[str, Any]]) -> dict[str, float]:
    right = sum(not row["faults"] for row in rows)
    slowest = sorted(row["ms"] for row in rows)[int(0.95 * (len(rows) - 1))]
    return {"questions": len(rows), "right": right, "share": right / len(rows), "p95_ms": slowest}


def measured(choice: Choice) -> dict[str, list[dict[str, Any]]]:
    with tempfile.TemporaryDirectory() as folder:
        service = prepared(Path(folder) / "world", choice)
        heard(service, choice)
        before = [a.status for a in service.approvals(status=None)]
        rows = {half: scored(service, half) for half in HALVES}
        if [a.status for a in service.approvals(status=None)] != before:
            raise RuntimeError("a question decided something")
    return rows


def heard(service: Service, choice: Choice) -> None:
    """Ends the process when a model was to help with the incidents and was heard in none."""
    if not choice.has_model:
        return
    found = [service.case(one.incident_id).diagnosis for one in service.incidents()]
    told = [one for one in found if one is not None]
    if not any(one.opinion for one in told):
        why = "; ".join(line for one in told for line in one.degraded)
        raise SystemExit(f"the model was not heard: {why[-300:]}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--misses", action="store_true", help="also print the answers that miss")
    add_options(parser)
    chosen = parser.parse_args()
    rows = measured(chosen_reasoner(chosen.reasoner))
    table = {half: figures(rows[half]) for half in HALVES}
    missed = [row for half in HALVES for row in rows[half] if row["faults"]]
    table["all"] = figures([row for half in HALVES for row in rows[half]])
    failed = [
        f"{part}: {table[part]['share']:.1%} right, {aim:.0%} wanted"
        for part, aim in AIMS.items()
        if table[part]["share"] < aim
    ]
    if chosen.json:
        told = [{k: row[k] for k in ("half", "ask", "faults")} for row in missed]
        print(json.dumps({"figures": table, "missed": told, "failed": failed}))
        return 1 if failed else 0
    print(f"{'half':12}{'questions':>10}{'right':>7}{'share':>8}{'p95 ms':>8}")
    for half, row in table.items():
        print(
            f"{half:12}{row['questions']:10}{row['right']:7}{row['share']:8.1%}{row['p95_ms']:8.1f}"
        )
    for row in missed:
        print(f"  {row['half']}: {row['ask']!r} {'; '.join(row['faults'])}")
        if chosen.misses:
            print("    " + row["answer"].replace("\n", "\n    "))
    print("AIMS MISSED\n  " + "\n  ".join(failed) if failed else "all aims met")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

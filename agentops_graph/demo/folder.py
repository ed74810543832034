"""The demo's data folder: made anew, continued, or left alone when it is not the demo's."""

import json
import shutil
from pathlib import Path

from agentops_graph.errors import InputError

MARKER = "demo.json"
MADE_HERE = (
    "ledger.db",
    "checkpoints.db",
    "warehouse.db",
    "knowledge.db",
    "mlflow.db",
    "mlflow.lock",
    "mlartifacts",
    "chroma",
    "outbox",
    "jobs",
    "components.yaml",
    "audit.key",
    "audit.head",
)


def is_demo(home: Path) -> bool:
    return (home / MARKER).exists()


def check_free(home: Path) -> None:
    """InputError when the folder holds someone's own data."""
    if is_demo(home) or not home.exists():
        return
    held = [name for name in MADE_HERE if (home / name).exists()]
    if held:
        raise InputError(
            f"{home} holds data that the demo did not make ({', '.join(held[:3])}); "
            "choose another folder with --home",
            field="home",
        )


def clear(home: Path) -> None:
    """Removes an earlier demo, and only that."""
    if not is_demo(home):
        return
    for name in MADE_HERE:
        for path in (home / name, home / f"{name}-journal", home / f"{name}-wal"):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    (home / MARKER).unlink()


def mark(home: Path, facts: dict[str, object]) -> None:
    (home / MARKER).write_text(json.dumps(facts, indent=2), encoding="utf-8")

"""The data folder: its files, the audit key in it, and what ships with the package."""

import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

from agentops_graph.errors import InputError, UnavailableError


@dataclass(frozen=True)
class Places:
    """The files of one data folder."""

    home: Path

    @property
    def ledger(self) -> Path:
        return self.home / "ledger.db"

    @property
    def checkpoints(self) -> Path:
        return self.home / "checkpoints.db"

    @property
    def warehouse(self) -> Path:
        return self.home / "warehouse.db"

    @property
    def knowledge(self) -> Path:
        return self.home / "knowledge.db"

    @property
    def chroma(self) -> Path:
        return self.home / "chroma"

    @property
    def sources(self) -> Path:
        return self.home / "sources.yaml"

    @property
    def audit_head(self) -> Path:
        return self.home / "audit.head"

    @property
    def outbox(self) -> Path:
        return self.home / "outbox"


def shipped(name: str) -> Path:
    """The folder `prompts` or `runbooks`: inside the installed package, or beside it in a clone."""
    inside = Path(__file__).parent / name
    return inside if inside.is_dir() else Path(__file__).parent.parent / name


def make_home(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True)
        # A name of its own: two that start at once must not take away each other's.
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        raise UnavailableError(
            f"the data folder {home} can't be written ({error.strerror}); make it writable or set "
            "AGENTOPS_HOME to another folder"
        ) from error


def audit_key(home: Path) -> bytes:
    """The key of the audit chain, made once and readable by its owner only."""
    path = home / "audit.key"
    if not path.exists() and (home / "ledger.db").exists():
        raise InputError(
            f"{path} is gone, and without it the audit can't be verified; put it back, or set "
            "AGENTOPS_AUDIT_KEY to what was in it",
            field="audit.key",
        )
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_hex(32).encode())
    return path.read_bytes()


COMPONENTS_TO_FILL_IN = """\
# What agentops watches; every field: docs/components.md. Take away the leading "# " to begin.
components: []
# components:
#   - name: fraud-detector            # as in the model registry and in PREDICTION_LOGS.model_name
#     kind: model                     # model | pipeline | agent
#     metric: {name: f1, direction: higher_is_better, tolerance: 0.01, task: binary}
#     feeds: [transactions]           # upstream pipelines, nearest first
#     expected_rows_per_hour: 40000
#     entry_points:
#       retrain_model: agentops_graph.jobs.retraining:retrain
#   - name: transactions
#     kind: pipeline
#     expected_rows_per_hour: 40000
"""


def make_components_file(path: Path) -> bool:
    """A commented file to fill in, unless there is one; says whether it was made."""
    if path.exists():
        return False
    path.write_text(COMPONENTS_TO_FILL_IN, encoding="utf-8")
    return True

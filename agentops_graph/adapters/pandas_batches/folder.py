"""The batch files of a pipeline: finds the new ones, checks each once, has it recorded."""

import glob
import hashlib
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agentops_graph.adapters.pandas_batches.contract_yaml import read_contract
from agentops_graph.adapters.pandas_batches.tables import arrival, read_batch
from agentops_graph.domain.component import Component
from agentops_graph.domain.contract import BatchReport, Breach, Contract, KeptBatch
from agentops_graph.errors import InputError
from agentops_graph.ports import BatchLog

log = logging.getLogger(__name__)

SETTLED_S = 10.0  # a file still written to would be measured half
FILES_PER_LOOK = 100  # the rest at the next look, so that a long backlog holds up nobody


class PandasBatches:
    """Implements `Batches` over files; relative paths start at `folder`."""

    def __init__(self, folder: Path, batch_log: BatchLog) -> None:
        self._folder, self._log = folder, batch_log
        self._alike: set[tuple[str, str]] = set()  # files with the content of a recorded one

    def take_in(self, component: Component, now: datetime) -> list[str]:
        if component.contract is None or component.batches is None:
            return []
        waiting = self._waiting(component, now)
        if not waiting:
            return []
        try:
            contract = self.contract(component)
        except InputError as error:
            return [f"{len(waiting)} batches not checked: {error}"]
        begun = self._log.batches_since(component.name)
        read = [
            self._note(component, contract, path, now, begun) for path in waiting[:FILES_PER_LOOK]
        ]
        notes = [note for note in read if note is not None]
        if len(waiting) > FILES_PER_LOOK:
            notes.append(f"{len(waiting) - FILES_PER_LOOK} batches wait for the next look")
        return notes

    def _note(
        self,
        component: Component,
        contract: Contract,
        path: Path,
        now: datetime,
        begun: datetime | None,
    ) -> str | None:
        """Records one file; returns what people should know of it, if anything."""
        try:
            report, is_new = self._record(component, contract, path, now, begun)
        except OSError as error:
            return f"{path.name} can't be read: {error.strerror or error}"
        except UnicodeError:
            return f"the name {path.name!a} is no UTF-8; rename the file"
        except InputError as error:
            return str(error)
        if not is_new:
            self._alike.add((component.name, _stamp(path)))
            return f"{path.name} holds what was delivered before; not counted again"
        return report.breaches[0].summary if report.status == "unreadable" else None

    def record(self, component: Component, path: Path, now: datetime) -> tuple[BatchReport, bool]:
        contract = self.contract(component)
        begun = self._log.batches_since(component.name)
        if not path.is_file():
            raise InputError("there is no such file", field=str(path))
        try:
            return self._record(component, contract, path, now, begun)
        except OSError as error:
            raise InputError(f"can't be read: {error.strerror}", field=path.name) from None

    def contract(self, component: Component) -> Contract:
        """Raises InputError when the component names none, or one that can't be read."""
        if component.contract is None:
            raise InputError(
                f"{component.name} has no contract; name one in components.yaml, as `contract:`",
                field="contract",
            )
        return read_contract(self._folder / component.contract)

    def _waiting(self, component: Component, now: datetime) -> list[Path]:
        """Files not recorded yet, the newest first."""
        known = self._log.known_batches(component.name)
        found = []
        pattern = str(self._folder / (component.batches or ""))
        for name in glob.iglob(pattern, recursive=True):
            path = Path(name)
            try:
                if not path.is_file() or arrival(path) > now - timedelta(seconds=SETTLED_S):
                    continue
                stamp = _stamp(path)
            except OSError:
                continue  # moved away since it was listed, or not ours to look at
            if stamp not in known and (component.name, stamp) not in self._alike:
                found.append((arrival(path), path))
        return [path for _, path in sorted(found, reverse=True)]

    def _record(
        self,
        component: Component,
        contract: Contract,
        path: Path,
        now: datetime,
        begun: datetime | None,
    ) -> tuple[BatchReport, bool]:
        at, stamp = _counted_at(path, now, begun), _stamp(path)
        report = check_file(path, contract, arrived_at=at)
        kept = KeptBatch(
            pipeline=component.name,
            batch_id=_digest(path),
            stamp=stamp,
            at=at,
            checked_at=now,
            report=report,
        )
        if _stamp(path) != stamp:
            raise InputError("was written to while it was read; look again", field=path.name)
        return report, self._log.record_batch(kept)


def check_file(path: Path, contract: Contract, *, arrived_at: datetime) -> BatchReport:
    """The report of a file; one that can't be read is a report, too."""
    from agentops_graph.detection.contract_check import checked

    text = [name for name, rule in contract.columns.items() if rule.dtype == "text"]
    try:
        batch = read_batch(path, as_text=text)
        return checked(
            batch.table,
            contract,
            batch=path.name,
            arrived_at=arrived_at,
            malformed=batch.malformed,
        ).report
    except InputError as error:
        broken = Breach(kind="unreadable_batch", rows=0, share=1, summary=str(error))
        return BatchReport(
            contract=contract.name,
            batch=path.name,
            rows=0,
            violations=0,
            breaches=(broken,),
            arrived_at=arrived_at,
        )


def _counted_at(path: Path, now: datetime, begun: datetime | None) -> datetime:
    """When the batch arrived. Of files that lay there before the first look it is the time they
    were written at, which gives the volume its history; of later ones the time they came into the
    folder, or a file moved there late would be counted into the past and alert nobody."""
    written = arrival(path)
    came = datetime.fromtimestamp(path.stat().st_ctime, UTC)
    at = written if begun is None or came <= begun else max(written, came)
    return min(at, now - timedelta(seconds=1))  # a look ends just before now


def _stamp(path: Path) -> str:
    seen = path.stat()
    return f"{path}|{seen.st_size}|{seen.st_mtime_ns}"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

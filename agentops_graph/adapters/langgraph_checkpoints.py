"""Checkpoints of the graph: a cache of progress in a file of its own."""

import logging
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

# Must be set before the serializer is imported: then unknown types are refused on load.
os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
)
from langgraph.checkpoint.serde.base import CipherProtocol
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver

from agentops_graph.audit_ports import silent
from agentops_graph.domain.redaction import redacted, redacted_within
from agentops_graph.encryption import NO_RING, Ring
from agentops_graph.errors import CheckpointError, ForgedError, UnavailableError
from agentops_graph.faults import fault

log = logging.getLogger(__name__)

WAL_SAFE = (3, 51, 3)
PATIENCE_S = 30.0
PLACE = "checkpoints"
DAMAGES = (ValueError, TypeError, LookupError, AttributeError, NotImplementedError, ForgedError)
_CIPHER = "aes256gcm-"  # before the id of the key


class ClearedSerializer(JsonPlusSerializer):
    """Keeps no credential: what a node said, and the words of an error it ended with."""

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        cleared = redacted(repr(obj)) if isinstance(obj, BaseException) else redacted_within(obj)
        return super().dumps_typed(cleared)


class RingCipher(CipherProtocol):
    """A ring of keys as LangGraph's `EncryptedSerializer` asks for it."""

    def __init__(self, ring: Ring) -> None:
        self._ring = ring

    def encrypt(self, plaintext: bytes) -> tuple[str, bytes]:
        return f"{_CIPHER}{self._ring.key_id}", self._ring.encrypt(plaintext, PLACE)

    def decrypt(self, ciphername: str, ciphertext: bytes) -> bytes:
        return self._ring.decrypt(ciphername.removeprefix(_CIPHER), ciphertext, PLACE)


def serializer(ring: Ring) -> JsonPlusSerializer | EncryptedSerializer:
    """State holds JSON scalars only, so no other type may be loaded."""
    plain = ClearedSerializer(allowed_msgpack_modules=[])
    if ring.key_id is None:
        return plain
    return EncryptedSerializer(RingCipher(ring), plain)  # reads what is plain as well


class Checkpoints(SqliteSaver):
    """SqliteSaver with the journal that is safe for the SQLite library at hand.

    Raises UnavailableError when the file can't be read or written now, CheckpointError when what
    it holds of a thread can't be understood. A write that fails half way leaves nothing behind.
    """

    def setup(self) -> None:
        if self.is_setup:
            return
        if sqlite3.sqlite_version_info < WAL_SAFE:
            self.conn.execute("PRAGMA journal_mode = TRUNCATE")
            self.conn.set_authorizer(_without_wal)
        super().setup()
        self.conn.set_authorizer(None)
        self.conn.execute("PRAGMA synchronous = FULL")

    @contextmanager
    def cursor(self, transaction: bool = True) -> Iterator[sqlite3.Cursor]:
        with self.lock, _translated():
            self.setup()
            cursor = self.conn.cursor()
            try:
                yield cursor
                if transaction:
                    self.conn.commit()
            except BaseException:
                self.conn.rollback()
                raise
            finally:
                cursor.close()

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        thread = config["configurable"]["thread_id"]
        try:
            found = super().get_tuple(config)
        except DAMAGES as error:
            raise CheckpointError(f"the checkpoint of {thread} is damaged: {error}") from error
        if found is not None and not _is_whole(found.checkpoint):
            raise CheckpointError(f"the checkpoint of {thread} is damaged: parts are missing")
        return found

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        fault("checkpoint.before_put")
        kept = super().put(config, checkpoint, metadata, new_versions)
        fault("checkpoint.after_put")
        return kept

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        fault("checkpoint.before_put_writes")
        super().put_writes(config, writes, task_id, task_path)
        fault("checkpoint.after_put_writes")


def _without_wal(action: int, name: str | None, value: str | None, *_: str | None) -> int:
    """Passes over the saver's switch to WAL. Switched there and back at every opening, the file
    was locked for those who worked on it and those who opened it at the same time."""
    is_switch = (action, name, value) == (sqlite3.SQLITE_PRAGMA, "journal_mode", "WAL")
    return sqlite3.SQLITE_IGNORE if is_switch else sqlite3.SQLITE_OK


def _is_whole(checkpoint: Any) -> bool:
    parts = {"id", "channel_values", "channel_versions", "versions_seen"}
    return isinstance(checkpoint, dict) and parts <= checkpoint.keys()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise UnavailableError(
            f"the checkpoints did not answer: {error}; check that the folder is writable, the disk "
            "has room and no other process holds a lock, then try again"
        ) from error
    except sqlite3.DatabaseError as error:
        raise CheckpointError(f"the file of the checkpoints is damaged: {error}") from error


def open_checkpoints(
    path: Path, *, patience_s: float = PATIENCE_S, ring: Ring = NO_RING
) -> Checkpoints:
    """The saver on a file; what it writes is encrypted when the ring has a key for that.

    A file that is no database any more is put aside, and a new one begun: the ledger knows how far
    each incident came.
    """
    try:
        return _opened(path, patience_s, ring)
    except CheckpointError as error:
        aside = path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S}")
        log.warning("%s; it is kept as %s and a new one is begun", error, aside)
        path.rename(aside)
        return _opened(path, patience_s, ring)


def _opened(path: Path, patience_s: float, ring: Ring) -> Checkpoints:
    with _translated():
        connection = sqlite3.connect(path, check_same_thread=False, timeout=patience_s)
        try:
            saver = Checkpoints(connection, serde=serializer(ring))
            saver.setup()
        except sqlite3.Error:
            connection.close()
            raise
    return saver


def rewrite(path: Path, ring: Ring, told: Callable[[int], None] = silent) -> int:
    """Puts what the file holds under the ring's key, or in plain text when it has none to write
    with; says how many values that changed. What others write meanwhile without that key stays as
    they wrote it."""
    if not path.exists():
        return 0
    saver, seen, changed = _opened(path, PATIENCE_S, ring), 0, 0
    try:
        for table, column in (("checkpoints", "checkpoint"), ("writes", "value")):
            with saver.cursor() as cursor:
                cursor.execute(f"SELECT rowid FROM {table}")
                rows = [row for (row,) in cursor.fetchall()]
            for row in rows:
                changed += _rewritten(saver, ring, table, column, row)
                seen += 1
                told(seen)
        # Pages that became free still hold what was in them; whatever changed now, it may have
        # been stopped here the last time.
        with _translated(), saver.lock:
            saver.conn.execute("VACUUM")
    finally:
        saver.conn.close()
    return changed


def _rewritten(saver: Checkpoints, ring: Ring, table: str, column: str, row: int) -> bool:
    with saver.cursor() as cursor:
        cursor.execute("BEGIN IMMEDIATE")
        cursor.execute(f"SELECT type, {column} FROM {table} WHERE rowid = ?", (row,))
        held = cursor.fetchone()
        if held is None or held[0] is None:
            return False
        kind, _, cipher = str(held[0]).partition("+")
        wanted = f"{_CIPHER}{ring.key_id}" if ring.key_id else ""
        if cipher == wanted:
            return False
        content = RingCipher(ring).decrypt(cipher, held[1]) if cipher else bytes(held[1])
        if wanted:
            kind, content = f"{kind}+{wanted}", ring.encrypt(content, PLACE)
        cursor.execute(
            f"UPDATE {table} SET type = ?, {column} = ? WHERE rowid = ?", (kind, content, row)
        )
    return True

"""Predictions that are in the warehouse already, and labels for those that are."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from agentops_graph.adapters.sqlite_warehouse.layout import quoted

Row = tuple[Any, ...]
Outcome = tuple[int, int, dict[int, str]]  # loaded, repeated, faults by place
NAMED = ("prediction_id", "model_name")


def add_predictions(database: Any, columns: Sequence[str], rows: Sequence[Row]) -> Outcome:
    """Each prediction of a model once. One that is there with the same values is a repetition; a
    label that it brings and that was not there yet is kept."""
    count = _added_unless_there(database, columns, rows)
    if count == len(rows):
        return count, 0, {}
    held = _held(database, columns, rows)
    new: list[Row] = []
    late: list[tuple[Any, str, str]] = []
    faults: dict[int, str] = {}
    at = [columns.index(name) for name in NAMED]
    label = columns.index("actual_label") if "actual_label" in columns else None
    for place, row in enumerate(rows):
        key = (row[at[0]], row[at[1]])
        there = held.get(key)
        if there is None:
            held[key] = row
            new.append(row)
            continue
        differing = _differing(columns, there, row)
        if differing:
            faults[place] = _clash(key[0], differing)
        elif label is not None and row[label] is not None and there[label] in (None, ""):
            late.append((row[label], *key))
            held[key] = row
    insert(database, "PREDICTION_LOGS", columns, new)
    database.conn.executemany(
        "UPDATE PREDICTION_LOGS SET actual_label = ? WHERE prediction_id = ? AND model_name = ?",
        late,
    )
    return len(new), len(rows) - len(new) - len(faults), faults


def _clash(prediction_id: str, differing: Sequence[str]) -> str:
    return (
        f"prediction_id was loaded before with another {', '.join(differing)} "
        f"(seen: {prediction_id[:40]})"
    )


def _added_unless_there(database: Any, columns: Sequence[str], rows: Sequence[Row]) -> int:
    """How many, when all are new; else none is added."""
    first, second = (columns.index(name) + 1 for name in NAMED)
    marks = ", ".join(f"?{number}" for number in range(1, len(columns) + 1))
    names = ", ".join(map(quoted, columns))
    connection = database.conn
    connection.execute("SAVEPOINT doubles")
    count = connection.executemany(
        f"INSERT INTO PREDICTION_LOGS ({names}) SELECT {marks} WHERE NOT EXISTS (SELECT 1 FROM "
        f"PREDICTION_LOGS WHERE prediction_id = ?{first} AND model_name = ?{second})",
        rows,
    ).rowcount
    if count < len(rows):
        connection.execute("ROLLBACK TO doubles")
    connection.execute("RELEASE doubles")
    return int(count)


def _held(
    database: Any, columns: Sequence[str], rows: Sequence[Row]
) -> dict[tuple[Any, Any], Sequence[Any]]:
    ids = json.dumps([row[columns.index("prediction_id")] for row in rows])
    names = ", ".join(map(quoted, columns))
    found = database.execute(
        f"SELECT {names} FROM PREDICTION_LOGS WHERE prediction_id IN "
        "(SELECT value FROM json_each(?))",
        (ids,),
    )
    at = [columns.index(name) for name in NAMED]
    return {(row[at[0]], row[at[1]]): row for row in found}


def _differing(columns: Sequence[str], there: Sequence[Any], row: Row) -> list[str]:
    """The columns in which two rows say different things; a label that only one has is none."""
    return [
        name
        for name, old, new in zip(columns, there, row, strict=True)
        if not _alike(old, new)
        and not (name == "actual_label" and (new is None or old in (None, "")))
    ]


def _alike(old: Any, new: Any) -> bool:
    if old == new or (old in (None, "") and new in (None, "")):
        return True
    if isinstance(new, str) and new.startswith("{") and isinstance(old, str):
        try:
            return bool(json.loads(old) == json.loads(new))
        except ValueError:
            return False
    try:
        return float(old) == float(new)  # a table of texts holds numbers as such
    except (TypeError, ValueError):
        return False


def add_labels(
    database: Any, columns: Sequence[str], rows: Sequence[Row], only: frozenset[str] | None
) -> Outcome:
    """Sets the labels of predictions that are there; those of `only` these models, if given."""
    held = _by_id(database, [row[columns.index("prediction_id")] for row in rows], only)
    changed: list[tuple[Any, int]] = []
    faults: dict[int, str] = {}
    repeated = 0
    for place, row in enumerate(rows):
        given = dict(zip(columns, row, strict=True))
        found, fault = _meant(given, held)
        if fault:
            faults[place] = fault
        elif all(old == given["actual_label"] for _, _, old in found):
            repeated += 1
        else:
            changed += [(given["actual_label"], rowid) for rowid, _, _ in found]
            name = given["prediction_id"]
            fresh = {rowid: (rowid, model, given["actual_label"]) for rowid, model, _ in found}
            held[name] = [fresh.get(one[0], one) for one in held[name]]
    database.conn.executemany(
        "UPDATE PREDICTION_LOGS SET actual_label = ? WHERE rowid = ?", changed
    )
    return len(rows) - repeated - len(faults), repeated, faults


Held = dict[str, list[tuple[int, str, Any]]]  # rowid, model and label by prediction


def _by_id(database: Any, ids: Sequence[str], only: frozenset[str] | None) -> Held:
    held: Held = {}
    for rowid, name, model, label in database.execute(
        "SELECT rowid, prediction_id, model_name, actual_label FROM PREDICTION_LOGS "
        "WHERE prediction_id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(ids)),),
    ):
        if only is None or model in only:
            held.setdefault(str(name), []).append((rowid, str(model), label))
    return held


def _meant(given: Mapping[str, Any], held: Held) -> tuple[list[tuple[int, str, Any]], str]:
    name, model = given["prediction_id"], given.get("model_name")
    found = [one for one in held.get(name, []) if model is None or one[1] == model]
    if not found:
        return [], f"no prediction of that prediction_id is loaded (seen: {name[:40]})"
    if len({of for _, of, _ in found}) > 1:
        return [], f"several models have that prediction_id; add model_name (seen: {name[:40]})"
    return found, ""


def insert(database: Any, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    names, marks = ", ".join(map(quoted, columns)), ", ".join("?" for _ in columns)
    database.conn.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)

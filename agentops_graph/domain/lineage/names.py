"""How names of different systems are compared: by their parts, from the end."""

import re

MOST_PARTS = 12  # of a deep path only the last ones tell
_BETWEEN = re.compile(r"[./:\\]+")
_QUOTES = str.maketrans("", "", "\"'`[]")
_FILE_END = re.compile(r"(?:\.(?:parquet|csv|jsonl?|avro|orc|delta|gz|zst|snappy))+$")


def parts_of(name: str) -> tuple[str, ...]:
    """The parts of a name as every system might write them: `"PROD"."Raw"."Orders"` and
    `prod.raw.orders` have the same ones, and so have `fraud-detector` and `fraud_detector`."""
    text = name.casefold().translate(_QUOTES)
    if "/" in text:
        text = _FILE_END.sub("", text)
    parts = (re.sub(r"[\s\-_]+", "_", part).strip("_") for part in _BETWEEN.split(text))
    return tuple(part for part in parts if part)[-MOST_PARTS:]

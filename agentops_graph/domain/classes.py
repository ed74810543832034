"""The number that stands for a class, so that labels and predictions are arrays of floats."""

import zlib


def class_code(value: object) -> float:
    """The value itself if it is a number, or text that reads as one; NaN for nothing at all; else a
    number between 0 and 2^32 that is the same for the same name wherever it is computed."""
    if value is None or value == "":
        return float("nan")
    try:
        return float(value)  # type: ignore[arg-type]  # whatever can't be is caught
    except (TypeError, ValueError):
        return float(zlib.crc32(str(value).encode()))

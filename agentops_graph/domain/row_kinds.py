"""The kinds of rows that people load, by the word they use; light, for the command line."""

from typing import Literal, get_args

RowKind = Literal["predictions", "labels", "metrics", "quality", "agents", "outputs", "changes"]
ROW_KINDS: tuple[RowKind, ...] = get_args(RowKind)
# What the quarantine's export says of a row; loading the mended row passes over it.
REFUSED_COLUMN = "_refused"
# A line that is no row stands there as it is, under this name.
TEXT_COLUMN = "_text"

"""Lines of a stream, a block at a time, however long one of them is."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from agentops_graph.domain.rows import LONGEST_ROW, RAW_LIMIT

BLOCK = 4 << 20  # bytes; a chunk of rows is what stands in one


@dataclass(frozen=True)
class Lines:
    """Whole lines of one block. In `is_plain` ones every line is UTF-8 and none is too long; in
    others bytes that are no UTF-8 are lone surrogates, and a long line is cut just above the
    limit."""

    texts: list[str]
    is_plain: bool


def lines_of(stream: BinaryIO) -> Iterator[Lines]:
    """All lines in order, without their ends; of a byte order mark nothing is left."""
    carry, dropping, is_first = b"", False, True
    while block := stream.read(BLOCK):
        if is_first:
            block, is_first = block.removeprefix(b"\xef\xbb\xbf"), False
        if dropping:
            _, end, rest = block.partition(b"\n")
            if not end:
                continue
            block, dropping = end + rest, False
        block = carry + block
        whole, end, carry = block.rpartition(b"\n")
        if end:
            yield _lines(whole)
        if len(carry) > LONGEST_ROW:
            carry, dropping = carry[: LONGEST_ROW + 1], True
    if carry:
        yield _lines(carry)


def _lines(block: bytes) -> Lines:
    try:
        text, is_plain = block.decode(), True
    except UnicodeDecodeError:
        text, is_plain = block.decode(errors="surrogateescape"), False
    texts = text.split("\n")
    if max(map(len, texts)) > LONGEST_ROW:
        texts, is_plain = [text[: LONGEST_ROW + 1] for text in texts], False
    return Lines(texts, is_plain)


def fault_of(line: str) -> str | None:
    """Why a line can't be a row, whatever it should hold; None when it can."""
    if len(line) > LONGEST_ROW:
        return f"the row is longer than {LONGEST_ROW >> 20} MB"
    try:
        line.encode()
    except UnicodeEncodeError as error:
        byte = ord(line[error.start]) & 0xFF
        return f"the row is not UTF-8 (seen: byte 0x{byte:02x})"
    return None


def kept(line: str) -> str:
    """What is kept of a line that was refused; bytes that are no UTF-8 stand as `\\xe9`."""
    text = line[:RAW_LIMIT].removesuffix("\r")
    return text.encode(errors="surrogateescape").decode(errors="backslashreplace")

"""Log records of this process, whoever makes them and whoever prints them, hold no credential."""

import logging
import traceback
from collections.abc import Iterable, Mapping
from typing import Any

from agentops_graph.domain.redaction import (
    redacted,
    redacted_field,
    redacted_within,
    remember_secrets,
)

_EXTRA = 8  # its place among the arguments of `Logger.makeRecord`


class ClearedRecord(logging.LogRecord):
    """A record whose message, arguments and trace are redacted before any handler sees them."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        if isinstance(self.args, tuple):  # some formatters print them by themselves
            self.args = tuple(_cleared(each) for each in self.args)
        elif isinstance(self.args, Mapping):
            self.args = {name: redacted_field(name, each) for name, each in self.args.items()}
        if self.exc_info and self.exc_info[0] is not None:
            # Formatters print this text, when it is there, and not the exception.
            self.exc_text = redacted("".join(traceback.format_exception(*self.exc_info)).rstrip())
        if self.stack_info:
            self.stack_info = redacted(self.stack_info)

    def getMessage(self) -> str:  # noqa: N802 - the name that logging calls
        return redacted(super().getMessage())


def clear_log_lines(secrets: Iterable[str] = ()) -> None:
    """Every record made from now on is a `ClearedRecord`; `secrets` are values to drop as well.

    Not a filter: one of a handler does not see what another prints, and libraries bring theirs.
    """
    remember_secrets(secrets)
    logging.setLogRecordFactory(ClearedRecord)
    # What callers give as `extra` is put into a record after the factory made it.
    logging.Logger.makeRecord = _made_with_extra  # type: ignore[method-assign, assignment]


_made = logging.Logger.makeRecord


def _made_with_extra(logger: logging.Logger, *args: Any, **more: Any) -> logging.LogRecord:
    record = _made(logger, *args, **more)
    extra = more.get("extra", args[_EXTRA] if len(args) > _EXTRA else None)
    if isinstance(record, ClearedRecord):
        for name in extra or ():
            record.__dict__[name] = redacted_field(name, record.__dict__[name])
    return record


def _cleared(value: object) -> object:
    return redacted_within(value) if isinstance(value, str | dict | list | tuple) else value

"""Log records of this process, whoever makes them and whoever prints them, hold no credential."""

import logging
import traceback
from collections.abc import Iterable, Mapping
from typing import Any

from agentops_graph.domain.redaction import redacted, remember_secrets


class ClearedRecord(logging.LogRecord):
    """A record whose message, arguments and trace are redacted before any handler sees them."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        if isinstance(self.args, tuple):  # some formatters print them by themselves
            self.args = tuple(_cleared(each) for each in self.args)
        elif isinstance(self.args, Mapping):
            self.args = {name: _cleared(each) for name, each in self.args.items()}
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


def _cleared(value: object) -> object:
    return redacted(value) if isinstance(value, str) else value

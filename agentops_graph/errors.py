"""Every error the product raises on purpose.

AgentOpsError
├── InputError              what came in is malformed: field, problem, mend           422, exit 2
│   └── WrongKeyError       this process has not the key of what is kept              503, exit 2
├── NotFoundError           no such incident, approval, component, page               404, exit 3
├── ConflictError           the state has moved on: already decided, lease lost       409, exit 4
│   └── GoneError           expired or superseded; a newer one may stand              410, exit 4
├── UnauthenticatedError    who is asking was not proved                             401, exit 5
├── ForbiddenError          this person or door may not do that                       403, exit 5
├── ForgedError             stored content that is not what was approved              409, exit 4
├── RefusedError            the executor's checks did not allow an effect             409, exit 4
├── RunbookError            a runbook that can't be read: file, line, reason          exit 2
├── NotEnoughDataError      the warehouse holds too little to judge                   422, exit 6
└── PortError               something outside failed                                  503, exit 7
    ├── UnavailableError    it did not answer: unreachable, locked, full, read-only
    │   ├── BusyError       another call on it is under way; tried again when that has ended
    │   └── NoAnswerError   a language model gave nothing that can be used
    │       └── ToolsRefusedError   it takes no tools
    ├── CheckpointError     what was kept of an incident's progress can't be read any more
    └── DidNotHappenError   it answered that nothing was done
"""


class AgentOpsError(Exception):
    """Says what was seen and what to do next."""

    status = 500
    exit_code = 1


class InputError(AgentOpsError):
    """Malformed input; names the field and how to mend it."""

    status = 422
    exit_code = 2

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field


class WrongKeyError(InputError):
    """This process does not have the key with which things are kept."""

    status = 503  # whoever asks over HTTP can't mend it


class NotFoundError(AgentOpsError):
    """Nothing has that id."""

    status = 404
    exit_code = 3


class ConflictError(AgentOpsError):
    """Someone else was first."""

    status = 409
    exit_code = 4


class GoneError(ConflictError):
    """It existed and no longer stands."""

    status = 410


class UnauthenticatedError(AgentOpsError):
    """Nobody knows who is asking."""

    status = 401
    exit_code = 5


class ForbiddenError(AgentOpsError):
    """Not allowed for this person or through this door."""

    status = 403
    exit_code = 5


class RefusedError(AgentOpsError):
    """The executor refused an effect; nothing was done."""

    status = 409
    exit_code = 4


class ForgedError(AgentOpsError):
    """A proposal was changed in the ledger since its digest was made; nothing was done."""

    status = 409
    exit_code = 4


class RunbookError(AgentOpsError):
    """A document was refused; the others still load."""

    status = 422
    exit_code = 2

    def __init__(self, file: str, line: int, reason: str) -> None:
        super().__init__(f"{file}:{line}: {reason}")
        self.file, self.line, self.reason = file, line, reason


class NotEnoughDataError(AgentOpsError):
    """Too little to judge; says what to load."""

    status = 422
    exit_code = 6


class PortError(AgentOpsError):
    """An outside system failed; whether it did something may be unknown."""

    status = 503
    exit_code = 7

    def __init__(self, *said: object, source: str | None = None) -> None:
        super().__init__(*said)
        self.source = source  # of what is read; the warehouse, where none is named


class UnavailableError(PortError):
    """It could not be reached or could not write."""


class BusyError(UnavailableError):
    """Another call on the target is under way; nothing was done, and it is tried again."""


class NoAnswerError(UnavailableError):
    """A language model gave nothing that can be used; the message says why."""


class ToolsRefusedError(NoAnswerError):
    """The model, or what serves it, takes no tools."""


class CheckpointError(PortError):
    """Progress is lost; the ledger still says how far the incident came."""


class DidNotHappenError(PortError):
    """The outside system made clear that nothing was done."""

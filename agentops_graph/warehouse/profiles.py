"""Reference profiles that were read before: the same text is parsed once."""

from collections import OrderedDict
from threading import Lock

from pydantic import ValidationError

from agentops_graph.domain.profile import ReferenceProfile
from agentops_graph.errors import NotEnoughDataError

MOST_CHARACTERS = 64_000_000  # of text; what is parsed takes about three times that


class ParsedProfiles:
    """Profiles by their text, the least used forgotten first; safe to share between threads.

    By content and not by version, so that a profile taken again is seen at once.
    """

    def __init__(self, most_characters: int = MOST_CHARACTERS) -> None:
        self._most, self._held = most_characters, 0
        self._lock = Lock()
        self._parsed: OrderedDict[str, ReferenceProfile] = OrderedDict()

    def of(self, text: str) -> ReferenceProfile:
        with self._lock:
            found = self._parsed.get(text)
            if found is not None:
                self._parsed.move_to_end(text)
                return found
        try:
            found = ReferenceProfile.model_validate_json(text)
        except ValidationError as error:
            raise NotEnoughDataError(
                "the stored reference profile can't be read; take it anew with `agentops reference`"
            ) from error
        if len(text) <= self._most:
            self._keep(text, found)
        return found

    def _keep(self, text: str, profile: ReferenceProfile) -> None:
        with self._lock:
            if text not in self._parsed:
                self._held += len(text)
            self._parsed[text] = profile
            while self._held > self._most:
                forgotten, _ = self._parsed.popitem(last=False)
                self._held -= len(forgotten)

"""Finds the JSON object in what a language model wrote round it."""

import json
import re

THINKING = re.compile(r"^.*</think(?:ing)?>|<think(?:ing)?>.*$", re.DOTALL | re.IGNORECASE)
CLOSES = re.compile(r"\s*(?:[}\]]|\Z)")
MOST_STARTS = 50  # a reply full of braces must not cost a second
SHOWN = 300
_DECODER = json.JSONDecoder()


class BadReplyError(ValueError):
    """An answer that can't be used; the message is what the model is told to mend."""


def json_in(reply: str, key: str) -> dict[str, object]:
    """The first object with that key, with thinking, code fences, chatter and trailing commas
    taken off; BadReplyError when there is none."""
    text = THINKING.sub("", reply)
    starts = [match.start() for match in re.finditer(r"\{", text)][:MOST_STARTS]
    if not starts:
        raise BadReplyError("the answer holds no JSON object")
    problem = ""
    for candidate in (text, without_trailing_commas(text)):
        for start in [m.start() for m in re.finditer(r"\{", candidate)][:MOST_STARTS]:
            try:
                found, _ = _DECODER.raw_decode(candidate, start)
            except (json.JSONDecodeError, RecursionError) as error:
                problem = problem or str(error)[:SHOWN]
                continue
            if key in found:
                return dict(found)
    if problem:
        raise BadReplyError(f"the answer is not valid JSON: {problem}")
    raise BadReplyError(f"{key}: is missing")


def without_trailing_commas(text: str) -> str:
    """Commas before a closing bracket are dropped, unless they stand inside a string."""
    kept: list[str] = []
    inside = False
    skip = False
    for position, character in enumerate(text):
        if inside:
            inside = skip or character != '"'
            skip = character == "\\" and not skip
        elif character == '"':
            inside, skip = True, False
        elif character == "," and CLOSES.match(text, position + 1):
            continue
        kept.append(character)
    return "".join(kept)

"""Takes a question apart that asks several things at once."""

import re

from agentops_graph.chat.intents import intent_of

MOST = 4
_BETWEEN = re.compile(
    r"\?+\s+(?=\S)|[,;]?\s+(?:and|also|plus)\s+(?=(?:also\s+)?(?:what|when|since|why|who|how|is|are|was|"
    r"did|does|has|have|should|can|which|show|tell)\b)",
    re.IGNORECASE,
)


def parts_of(question: str) -> list[str]:
    """Its parts, when each of them asks something we understand; else the question as it is."""
    parts = [part.strip() for part in _BETWEEN.split(question) if part.strip()]
    if not 1 < len(parts) <= MOST:
        return [question]
    return parts if all(intent_of(part) is not None for part in parts) else [question]

"""The one gate that every door goes through: who is asking, and whether they may."""

from agentops_graph.access.access import Access
from agentops_graph.access.authentication import OPEN_NOTICE, authenticate, identified
from agentops_graph.access.gate import write_unproved
from agentops_graph.access.keys import Keys

__all__ = ["OPEN_NOTICE", "Access", "Keys", "authenticate", "identified", "write_unproved"]

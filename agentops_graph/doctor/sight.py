"""Checks of the monitor: who can't be seen, since when, and whose look is long due."""

from agentops_graph.doctor.check import Check, Visit
from agentops_graph.domain.schedule import every_of
from agentops_graph.domain.sight import in_words, is_late
from agentops_graph.domain.standing import spoken

NAMED = 5


def sight(visit: Visit) -> list[Check]:
    """Blind components with what was last known of them; else when the last look was."""
    ports, default_s = visit.ports, visit.settings.monitor_every_s
    known = [] if ports.rounds is None else ports.rounds.sights()
    watched = [s for s in known if s.component in ports.components]
    now = ports.clock.now()
    dark = [s for s in watched if s.blind_since is not None]
    if dark:
        seen = "; ".join(f"{s.component} is {in_words(s, now)}" for s in dark[:NAMED])
        more = f"; and {len(dark) - NAMED} more" if len(dark) > NAMED else ""
        mend = "bring the source back; the next look finds it (blind_source.md)"
        return [Check(name="sight", state="degraded", seen=seen + more, mend=mend)]
    if not watched:
        return [Check(name="sight", state="ok", seen="no look yet")]
    every_s = {name: every_of(each, default_s) for name, each in ports.components.items()}
    late = [s for s in watched if is_late(s, every_s[s.component], now)]
    newest = max((s.looked_at for s in watched if s.looked_at), default=None)
    ago = spoken((now - newest).total_seconds()) if newest else "never"
    seen = f"the last look was {ago} ago"
    if late:
        seen = f"{len(late)} of {len(watched)} are long due for a look; {seen}"
        return [Check(name="sight", state="degraded", seen=seen, mend="agentops monitor")]
    return [Check(name="sight", state="ok", seen=seen)]

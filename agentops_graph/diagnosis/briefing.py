"""A brief as text for a language model; what came from outside is fenced and can't leave."""

from agentops_graph.domain.diagnosis import Brief, Diagnosis, Hypothesis
from agentops_graph.domain.evidence import CHANGE_PREFIX, SIGNALS, Evidence
from agentops_graph.domain.knowledge import Page
from agentops_graph.domain.redaction import redacted

PAGE_CHARACTERS = 1200  # three runbook pages and three precedents must fit a small window
SUMMARY_CHARACTERS = 400
BRIEF_CHARACTERS = 22_000  # about 5,500 tokens: with the answer it fits a window of 8,192


def brief_text(brief: Brief, base: Diagnosis, *, weighed: bool = True) -> str:
    """Alert, evidence, hypotheses with the weights' probabilities, and pages, each in a block.

    Where that is too long for a small window, the last pages are left out, which is said. Without
    `weighed` the hypotheses stand in the order of their names and without the weights' figures.
    """
    alert = brief.alert
    numbers = ", ".join(f"{name}={value:.4g}" for name, value in alert.metrics.items())
    segment = f", segment {alert.segment}" if alert.segment else ""
    head = (
        f"{alert.severity} {alert.alert_type} on {alert.affected_component}{segment}: "
        f"{alert.summary}; "
        f"{numbers}; onset {alert.onset_at or 'unknown'}"
    )
    blocks = [_block("alert", alert.alert_id, head, 2000)]
    blocks += [evidence_text(piece) for piece in brief.evidence]
    ordered = base.hypotheses if weighed else sorted(base.hypotheses, key=lambda h: h.cause)
    blocks += [_hypothesis(h, weighed=weighed) for h in ordered]
    return "\n".join([*blocks, *_pages_within(brief, BRIEF_CHARACTERS - sum(map(len, blocks)))])


def _hypothesis(h: Hypothesis, *, weighed: bool) -> str:
    text = f"{h.title}; runbook {h.reference}"
    if weighed:
        text += (
            f"; evidence weights give {h.probability:.2f}; "
            f"for: {', '.join(h.signals_for) or 'nothing'}; "
            f"against: {', '.join(h.signals_against) or 'nothing'}"
        )
    return _block("hypothesis", h.cause, text, SUMMARY_CHARACTERS)


def measured_text(brief: Brief, base: Diagnosis) -> str:
    """The same case in our own words only: which known signals each piece of evidence gave, and
    what they do to each candidate. No text that came from outside stands in it."""
    known = {*SIGNALS, *(w.signal for cause in brief.causes for w in cause.signals)}
    lines = [f"alert: {brief.alert.severity} {brief.alert.alert_type}", "", "evidence:"]
    for piece in brief.evidence:
        given = {name: value for name, value in piece.signals.items() if name in known}
        lines.append(f"- {piece.evidence_id} [{piece.kind}, {piece.status}] {_told(given)}")
    lines += ["", "candidates:"]
    for h in base.hypotheses:
        lines.append(
            f"- {h.cause}: probability {h.probability:.2f}; "
            f"for: {', '.join(h.signals_for) or 'nothing'}; "
            f"against: {', '.join(h.signals_against) or 'nothing'}"
        )
    used = sorted({s for h in base.hypotheses for s in (*h.signals_for, *h.signals_against)})
    lines += ["", "signals:", *(f"- {name}: {SIGNALS.get(name, _change(name))}" for name in used)]
    return "\n".join(lines)


def _told(signals: dict[str, float]) -> str:
    seen = ", ".join(name for name, strength in signals.items() if strength > 0)
    absent = ", ".join(name for name, strength in signals.items() if strength < 0)
    return f"seen: {seen or 'nothing'}; looked for and absent: {absent or 'nothing'}"


def _change(signal: str) -> str:
    kind = signal.removeprefix(CHANGE_PREFIX).replace("_", " ")
    return f"a {kind} was recorded near the onset"


def _pages_within(brief: Brief, room: int) -> list[str]:
    blocks: list[str] = []
    pages = (*brief.pages, *brief.precedents)
    for page in pages:
        block = _page(page)
        room -= len(block)
        if room < 0:
            return [*blocks, f"({len(pages) - len(blocks)} more pages did not fit)"]
        blocks.append(block)
    return blocks


def evidence_text(piece: Evidence) -> str:
    """One piece of evidence in its block."""
    signals = ", ".join(f"{name}={strength:+.1f}" for name, strength in piece.signals.items())
    # Cut only after it is cleared: the rest of a credential is not recognised.
    summary = redacted(piece.summary)[:SUMMARY_CHARACTERS]
    text = f"[{piece.kind}, {piece.status}] {summary} signals: {signals}"
    return _block("evidence", piece.evidence_id, text, 2 * SUMMARY_CHARACTERS)


def _page(page: Page) -> str:
    state = "" if page.confirmed else "(no person confirmed this report) "
    return _block(page.kind, page.reference, f"{state}{page.title}\n{page.text}", PAGE_CHARACTERS)


def _block(tag: str, name: str, text: str, limit: int) -> str:
    return f'<{tag} id="{_plain(redacted(name))}">\n{_plain(redacted(text))[:limit]}\n</{tag}>'


def _plain(text: str) -> str:
    """Angle brackets become look-alikes, so that no text can close its block or open another."""
    shown = "".join(c if c.isprintable() or c == "\n" else " " for c in text)
    return shown.replace("<", "‹").replace(">", "›")

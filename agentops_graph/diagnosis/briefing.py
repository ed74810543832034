"""A brief as text for a language model; what came from outside is fenced and can't leave."""

from agentops_graph.domain.diagnosis import Brief, Diagnosis
from agentops_graph.domain.evidence import Evidence
from agentops_graph.domain.knowledge import Page

PAGE_CHARACTERS = 1200  # three runbook pages and three precedents must fit a small window
SUMMARY_CHARACTERS = 400


def brief_text(brief: Brief, base: Diagnosis) -> str:
    """Alert, evidence, hypotheses with the weights' probabilities, and pages, each in a block."""
    alert = brief.alert
    numbers = ", ".join(f"{name}={value:.4g}" for name, value in alert.metrics.items())
    head = (
        f"{alert.severity} {alert.alert_type} on {alert.affected_component}: {alert.summary}; "
        f"{numbers}; onset {alert.onset_at or 'unknown'}"
    )
    blocks = [_block("alert", alert.alert_id, head, 2000)]
    blocks += [_evidence(piece) for piece in brief.evidence]
    blocks += [
        _block(
            "hypothesis",
            h.cause,
            f"{h.title}; runbook {h.reference}; evidence weights give {h.probability:.2f}; "
            f"for: {', '.join(h.signals_for) or 'nothing'}; "
            f"against: {', '.join(h.signals_against) or 'nothing'}",
            SUMMARY_CHARACTERS,
        )
        for h in base.hypotheses
    ]
    blocks += [_page(page) for page in (*brief.pages, *brief.precedents)]
    return "\n".join(blocks)


def _evidence(piece: Evidence) -> str:
    signals = ", ".join(f"{name}={strength:+.1f}" for name, strength in piece.signals.items())
    text = f"[{piece.kind}, {piece.status}] {piece.summary[:SUMMARY_CHARACTERS]} signals: {signals}"
    return _block("evidence", piece.evidence_id, text, 2 * SUMMARY_CHARACTERS)


def _page(page: Page) -> str:
    state = "" if page.confirmed else "(no person confirmed this report) "
    return _block(page.kind, page.reference, f"{state}{page.title}\n{page.text}", PAGE_CHARACTERS)


def _block(tag: str, name: str, text: str, limit: int) -> str:
    return f'<{tag} id="{_plain(name)}">\n{_plain(text)[:limit]}\n</{tag}>'


def _plain(text: str) -> str:
    """Angle brackets become look-alikes, so that no text can close its block or open another."""
    shown = "".join(c if c.isprintable() or c == "\n" else " " for c in text)
    return shown.replace("<", "‹").replace(">", "›")

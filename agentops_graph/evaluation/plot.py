"""A plot of the figures beside those that were accepted, as SVG without any library."""

from collections.abc import Sequence
from xml.sax.saxutils import escape

from agentops_graph.evaluation.figures import merit
from agentops_graph.evaluation.running import Outcome

ROW, LEFT, WIDE = 18, 420, 300
MOST = 200


def plotted(outcomes: Sequence[Outcome], held: dict[str, dict[str, float]]) -> str:
    """A bar for each share between 0 and 1; a line where the accepted figure stands."""
    rows = [
        (f"{one.suite}/{name}", value, held.get(one.suite, {}).get(name))
        for one in outcomes
        for name, value in one.figures.items()
        if merit(name) and 0 <= value <= 1
    ][:MOST]
    parts = [part for number, row in enumerate(rows) for part in _row(number, *row)]
    high = ROW * (len(rows) + 2)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDE + 80}" height="{high}" '
        'font-family="sans-serif" font-size="11">'
        f'<text x="8" y="14">Shares of 0 to 1; the line is the accepted figure</text>'
        f"{''.join(parts)}</svg>\n"
    )


def _row(number: int, name: str, value: float, before: float | None) -> list[str]:
    top = ROW * (number + 1) + 6
    colour = "#2a7" if merit(name) > 0 else "#c75"
    parts = [
        f'<text x="8" y="{top + 10}">{escape(name[-70:])}</text>',
        f'<rect x="{LEFT}" y="{top}" width="{WIDE * value:.1f}" height="{ROW - 6}" '
        f'fill="{colour}"/>',
        f'<text x="{LEFT + WIDE + 8}" y="{top + 10}">{value:.3f}</text>',
    ]
    if before is not None and 0 <= before <= 1:
        at = LEFT + WIDE * before
        parts.append(
            f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{top - 2}" y2="{top + ROW - 4}" stroke="#000"/>'
        )
    return parts

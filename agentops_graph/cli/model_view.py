"""How a language model's part in a diagnosis is shown, and its words while they come."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from agentops_graph.cli import screen

if TYPE_CHECKING:
    from rich.console import Console

    from agentops_graph.domain.diagnosis import Diagnosis
    from agentops_graph.model_words import Spoken, Words

POLL_S = 0.1


def model_rows(diagnosis: "Diagnosis") -> list[tuple[str, object]]:
    """What the model said where it is of another mind than the evidence, and what it took."""
    rows: list[tuple[str, object]] = []
    opinion = diagnosis.opinion
    if opinion is not None and not opinion.agrees:
        said = f"{opinion.model} says {opinion.cause} ({opinion.confidence:.0%})"
        doubts = f"; but {'; '.join(opinion.doubts)}" if opinion.doubts else ""
        words = f": {opinion.words}" if opinion.words else ""
        rows.append(("model disagrees", screen.said(f"{said}{words}{doubts}", "yellow")))
    if diagnosis.model_use is not None:
        use = diagnosis.model_use
        rows.append(("model", f"{use.in_words}; {', '.join(use.prompts)}"))
    return rows


@contextmanager
def words_shown(words: "Words", incident_id: str, console: "Console") -> Iterator[None]:
    """Prints what a model of this process says of the incident while the block runs."""
    stop = threading.Event()
    with words.followed(incident_id) as heard:
        reader = threading.Thread(target=_print, args=(heard, console, stop), daemon=True)
        reader.start()
        try:
            yield
        finally:
            stop.set()
            reader.join()


def _print(heard: "queue.Queue[Spoken]", console: "Console", stop: threading.Event) -> None:
    step = ""
    while not (stop.is_set() and heard.empty()):
        try:
            spoken = heard.get(timeout=POLL_S)
        except queue.Empty:
            continue
        if spoken.step != step:
            step = spoken.step
            console.print(screen.said(f"\n          the model, {step}, unchecked: ", "dim"), end="")
        console.print(screen.said(spoken.text, "dim"), end="", soft_wrap=True)
    if step:
        console.print()

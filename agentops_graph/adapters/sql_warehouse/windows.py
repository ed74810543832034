"""The rows of one subject in a stretch of time, as conditions of a statement."""

from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil, log2

from sqlglot import exp

from agentops_graph.adapters.sql_warehouse.dialect import LONGEST_FEATURES, placeholder
from agentops_graph.adapters.sql_warehouse.layout import Layout
from agentops_graph.adapters.sql_warehouse.session import Bound

HASH_DIGITS = 8  # of the MD5 in hexadecimal that choose a sample
ALL = 16**HASH_DIGITS
SPARE = 1.25  # a hash takes some rows more or fewer than asked for


@dataclass(frozen=True)
class Stretch:
    """Rows of a subject from `since` to before `until`, and what else is asked of them."""

    layout: Layout
    key: str  # the column that names the subject
    subject: str
    since: datetime
    until: datetime
    version: str | None = None
    labelled: bool = False

    @property
    def bound(self) -> Bound:
        bound: Bound = {
            "p_subject": self.subject,
            "p_since": told(self.since),
            "p_until": told(self.until),
        }
        return bound if self.version is None else bound | {"p_version": self.version}

    def select(self, *columns: exp.Expr | str) -> exp.Select:
        layout, dialect = self.layout, self.layout.dialect
        since, until = (dialect.piece(dialect.moment, placeholder(n)) for n in ("since", "until"))
        found = exp.select(*columns).from_(layout.table.copy())
        found = found.where(exp.EQ(this=layout.text(self.key), expression=placeholder("subject")))
        found = found.where(exp.GTE(this=layout.moment(), expression=since))
        found = found.where(exp.LT(this=layout.moment(), expression=until))
        if self.version is not None:
            version = exp.func("COALESCE", layout.text("model_version"), exp.Literal.string(""))
            found = found.where(exp.EQ(this=version, expression=placeholder("version")))
        if self.labelled:
            found = found.where(exp.Not(this=layout.column("actual_label").is_(exp.null())))
        if self.labelled and layout.is_text("actual_label"):
            nothing = exp.Literal.string("")
            found = found.where(exp.NEQ(this=layout.column("actual_label"), expression=nothing))
        return found

    def sampled(self, found: exp.Select, rows: int, most: int) -> exp.Select:
        """Of so many rows at most about `most`: those whose id has a low hash, so that the copies
        of one prediction stay together. One in 2, 4, 8 .. is taken, so that windows of about the
        same size, or the same one a little later, share their rows."""
        if rows <= most:
            return found.limit(int(most * SPARE))
        below = f"{ALL >> ceil(log2(rows / most)):0{HASH_DIGITS}x}"
        hashed = exp.func("MD5", self.layout.text("prediction_id"))
        first = exp.Left(this=hashed, expression=exp.Literal.number(HASH_DIGITS))
        low = exp.LT(this=first, expression=exp.Literal.string(below))
        return found.where(low).limit(int(most * SPARE))

    def features(self) -> exp.Expr:
        """As JSON text; of a row that carries a whole document it is missing."""
        text = self.layout.text("features")
        length = exp.func("LENGTH", text.copy())
        short = exp.LTE(this=length, expression=exp.Literal.number(LONGEST_FEATURES))
        return exp.Case().when(short, text)


def told(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")

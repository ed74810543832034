"""Searches `knowledge.db` by words: BM25 of sections, of titles, and how telling each word is."""

import math
from sqlite3 import Connection

from agentops_graph.adapters.sqlite_shelf.reading import documents_of
from agentops_graph.adapters.sqlite_shelf.schema import read_state
from agentops_graph.diagnosis.hybrid import Parts
from agentops_graph.diagnosis.vocabulary import expansion, query_terms

# BM25 weighs heading, document title, text and split names. The document's title has an index of
# its own; counted here too, it lifted every section of a document alike.
SECTION_WEIGHTS = "3.0, 0.0, 1.0, 0.5"
MEANT = 0.3  # a word that only means the same as one of the query
CANDIDATES = 150
TITLES = 100
# FTS5 scores every match of every word: words beyond this many matches are the commonest, tell
# little apart and cost the most, so they are left out where rarer ones stand.
MATCHES = 2_500


class WordSearch:
    """BM25 over one file; keeps how many sections hold each word until the corpus changes."""

    def __init__(self, database: Connection) -> None:
        self._database = database
        self._generation = ""
        self._held: dict[str, int] = {}
        self._sections = 0

    def scores(self, query: str, kind: str | None, parts: Parts) -> dict[int, float]:
        """Section ids with BM25 of the section, of what its title means and of its document's
        title; at most `CANDIDATES` and those of the best titles."""
        self._refresh()
        terms = self._affordable(query_terms(query))
        if not terms:
            return {}
        scores = self._of_sections(terms, kind)
        titles = self._of_titles(terms) if parts.titles else {}
        if parts.expansion and (meant := self._affordable(expansion(terms))):
            for key, score in self._of_sections(meant, kind).items():
                scores[key] = scores.get(key, 0.0) + MEANT * score
        owners = documents_of(self._database, list(scores)) if titles else {}
        return {key: score + titles.get(owners.get(key, ""), 0.0) for key, score in scores.items()}

    def information(self, query: str) -> float:
        """The sum of inverse document frequencies of the query's words."""
        self._refresh()
        return sum(self._telling(term) for term in query_terms(query))

    def _of_sections(self, terms: list[str], kind: str | None) -> dict[int, float]:
        joined = "" if kind is None else " join sections s on s.section_id = sections_fts.rowid"
        of_kind = "" if kind is None else " and s.kind = ?"
        rows = self._database.execute(
            f"select sections_fts.rowid, bm25(sections_fts, {SECTION_WEIGHTS}) as score"
            f" from sections_fts{joined} where sections_fts match ?{of_kind}"
            " order by score limit ?",
            [_either(terms), *([] if kind is None else [kind]), CANDIDATES],
        )
        return {int(key): -float(score) for key, score in rows}

    def _of_titles(self, terms: list[str]) -> dict[str, float]:
        rows = self._database.execute(
            "select d.name, found.score from (select rowid, bm25(titles_fts) as score"
            " from titles_fts where titles_fts match ? order by score limit ?) found"
            " join documents d on d.rowid = found.rowid",
            [_either(terms), TITLES],
        )
        return {str(name): -float(score) for name, score in rows}

    def _affordable(self, terms: list[str]) -> list[str]:
        """The rarest words whose matches together can be scored in time; always two of them."""
        held = {term: self._holding(term) for term in terms}
        known = sorted((term for term in terms if held[term]), key=lambda term: held[term])
        spent, kept = 0, list[str]()
        for term in known:
            spent += held[term]
            if spent > MATCHES and len(kept) >= 2:
                break
            kept.append(term)
        return kept

    def _telling(self, term: str) -> float:
        held = self._holding(term)
        return math.log(1 + (self._sections - held + 0.5) / (held + 0.5))

    def _holding(self, term: str) -> int:
        if term not in self._held:
            query = "select count(*) from sections_fts where sections_fts match ?"
            self._held[term] = int(self._database.execute(query, [_either([term])]).fetchone()[0])
        return self._held[term]

    def _refresh(self) -> None:
        generation = read_state(self._database, "generation")
        if generation != self._generation or len(self._held) > 100_000:
            self._generation, self._held = generation, {}
            count = self._database.execute("select count(*) from sections").fetchone()
            self._sections = int(count[0])


def _either(terms: list[str]) -> str:
    """Quoted FTS5 terms joined by OR; operators and quotes are text."""
    return " OR ".join(f'"{term}"' for term in terms)

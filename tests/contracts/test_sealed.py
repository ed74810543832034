"""Sealed columns on each database: written under a key, rewritten under another, and back."""

import base64
import os

import pytest
from sqlalchemy import Text, select, type_coerce

from agentops_graph.adapters.sqlalchemy_ledger import Database, tables
from agentops_graph.adapters.sqlalchemy_ledger.rewriting import PAGE, rewrite
from agentops_graph.domain.ledger import Chapter, Note
from agentops_graph.encryption import Ring
from agentops_graph.errors import InputError
from tests.contracts.desk import KEY, sql_desk

MARKER = "Kestrel-7731"


def new_key():
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def stored(database):
    """The records as they lie there."""
    with database.read() as c:
        return list(c.execute(select(type_coerce(tables.records.c.payload, Text))).scalars())


def test_rows_of_several_pages_change_their_key_and_become_plain_again(database):
    url = database.engine.url.render_as_string(hide_password=False)
    first, second = new_key(), new_key()

    def under(key, old=None):
        return Database(url, audit_key=KEY, ring=Ring(key, old))

    desk = sql_desk(database)
    chapters = [Chapter(incident_id="INC-1", kind="look", step=step) for step in range(PAGE + 7)]
    with desk.incidents.together():
        for chapter in chapters:
            desk.incidents.keep(chapter, Note(values={"seen": f"{MARKER} {chapter.step}"}))
    plain = desk.incidents.kept("INC-1", "look")
    for key, old in ((first, None), (second, first), (None, second)):
        opened = under(key, old)
        assert rewrite(opened) == len(chapters)
        assert rewrite(opened) == 0
        assert sql_desk(opened).incidents.kept("INC-1", "look") == plain
        assert any(MARKER in text for text in stored(opened)) == (key is None)
        opened.close()
        if key is not None:
            with pytest.raises(InputError, match="was encrypted with key"):
                under(None)

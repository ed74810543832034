"""The command that puts a data folder under its encryption key: encrypt."""

import typer

from agentops_graph.cli import desk
from agentops_graph.errors import InputError


def encrypt(ctx: typer.Context, as_json: desk.AsJson = False) -> None:
    """Put what was written before under the encryption key that is set now.

    With AGENTOPS_ENCRYPTION_KEY: rows that are plain, or under AGENTOPS_ENCRYPTION_KEY_OLD, are
    written anew under it. With the old one only, everything becomes plain text again. Stop every
    other process first; what was stopped half way is ended by running it again.

    Example: agentops encrypt
    """
    from agentops_graph.cli import audit, screen
    from agentops_graph.confidentiality import encrypt as rewrite

    workshop = desk.workshop(ctx)
    settings, ring = workshop.settings, workshop.ring
    if settings.encryption_key is None and settings.encryption_key_old is None:
        raise InputError("set the key first; docs/audit.md", field="AGENTOPS_ENCRYPTION_KEY")
    workshop.service.needs("administer", everywhere=True)
    with audit.progress("encrypting" if ring.key_id else "decrypting", 0) as told:
        changed = rewrite(workshop.database, workshop.places.checkpoints, told)
    if as_json:
        screen.emit({"key": ring.key_id, "changed": changed})
        return
    state = f"encrypted with key {ring.key_id}" if ring.key_id else "plain text"
    screen.line(f"Ledger and checkpoints are {state}; {changed} values were changed.", "green")

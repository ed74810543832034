"""Two tenants' components in one data folder, and people with every role at its gate."""

from datetime import timedelta

import pytest

from agentops_graph.access import Access, Keys
from agentops_graph.access.authentication import hashed, new_secret
from agentops_graph.domain.identity import Credential, Identity
from tests import data_folder_desk

COMPONENTS = """\
components:
  - {name: fraud_model, tenant: north}
  - {name: churn-model, tenant: south}
  - {name: price-model}
"""


class Desk(data_folder_desk.Desk):
    """`at(role, tenant)` is the service as such a person has it."""

    def at(self, role="admin", tenant=None, **fields):
        name = f"{role}-person"
        if "credential_id" not in fields:
            kept = self.workshop.ports.credentials.add(
                Credential(
                    credential_id="new",
                    kind="token",
                    name=name,
                    role=role,
                    tenant=tenant,
                    created_by="test",
                    created_at=self.in_(),
                ),
                secret_sha256=hashed(new_secret()),
                via="python",
            )
            fields["credential_id"] = kept.credential_id
        return Access(self.service, Identity(name=name, role=role, tenant=tenant, **fields), "http")

    @property
    def open(self):
        return Access(self.service, Identity(name="root", role="admin"), "cli")

    def token(self, name="mia", role="approver", **fields):
        """A token's secret; the admin's that has to come first is made when there is none."""
        if not self.workshop.ports.credentials.has_tokens():
            self.admin = Keys(self.open).create("root", "admin").secret
        return Keys(self.open).create(name, role, **fields).secret

    def said(self, what):
        return [row for row in self.workshop.ports.audit.rows() if row["what"] == what]

    def in_(self, **span):
        """The time after a while."""
        return self.workshop.ports.clock.now() + timedelta(**span)


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.setattr(data_folder_desk, "COMPONENTS", COMPONENTS)
    return Desk(tmp_path / "desk")

"""One data folder with everything that is built on it, each part when it is first asked for."""

import os
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentops_graph.bootstrap.ingest import intake
from agentops_graph.bootstrap.lineage import lineage_of
from agentops_graph.bootstrap.notices import notifiers
from agentops_graph.bootstrap.outside_training import trained_over_http
from agentops_graph.bootstrap.placing import Place, placing
from agentops_graph.bootstrap.reads import Reads
from agentops_graph.confidentiality import note_run, ring_of
from agentops_graph.data_folder import Places, audit_key, make_home, shipped
from agentops_graph.domain.component import Component
from agentops_graph.domain.sources.declared import Sources
from agentops_graph.encryption import Ring
from agentops_graph.later import later
from agentops_graph.log_lines import clear_log_lines
from agentops_graph.model_words import Words
from agentops_graph.ports import (
    Actuator,
    Batches,
    DetachedWork,
    Issuer,
    Lineage,
    LineageLog,
    Models,
    Ports,
    Reasoner,
    Tracker,
)
from agentops_graph.settings import SILENCE, Settings, read_settings, without_token

if TYPE_CHECKING:
    from agentops_graph.adapters.http_models import HttpModels
    from agentops_graph.adapters.mlflow_registry import MlflowStore
    from agentops_graph.adapters.sql_warehouse import SqlWarehouse
    from agentops_graph.adapters.sqlalchemy_ledger import Database
    from agentops_graph.adapters.sqlite_shelf import SqliteShelf
    from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse
    from agentops_graph.runner import Runner
    from agentops_graph.service import Service


class Workshop:
    """One data folder with everything built on it, each part when it is first asked for.

    One that doesn't tend the knowledge reads what is there and never brings it in step with the
    runbooks it carries itself: those of a served model may be older than the folder's.
    """

    def __init__(self, settings: Settings | None = None, *, tends_knowledge: bool = True) -> None:
        os.environ.update(SILENCE)
        self.settings = settings or read_settings()
        clear_log_lines(self.settings.secrets)
        self._tends_knowledge = tends_knowledge
        self.places = Places(self.settings.home)
        make_home(self.places.home)

    @cached_property
    def components(self) -> Mapping[str, Component]:
        from agentops_graph.adapters.yaml_components import read_components

        read = read_components(
            self.settings.components_file or self.places.home / "components.yaml"
        )
        if not self.settings.models_url:
            return read
        return {name: trained_over_http(component) for name, component in read.items()}

    @cached_property
    def sources(self) -> Sources:
        from agentops_graph.adapters.yaml_sources import read_sources

        return read_sources(self.sources_file)

    @property
    def sources_file(self) -> Path:
        return self.settings.sources_file or self.places.sources

    @property
    def place(self) -> Place:
        """`file:line` of what stands in the file of sources."""
        return placing(self.sources_file)

    @cached_property
    def reads(self) -> Reads:
        """The sources that stand in for parts of the warehouse."""
        file = self.sources_file
        return Reads(self.sources, file, self.settings, self.components, lambda: self.store)

    @cached_property
    def ports(self) -> Ports:
        from agentops_graph.adapters import sqlalchemy_ledger as ledger
        from agentops_graph.adapters.system_clock import SystemClock

        key = self.settings.audit_key
        chain_key = key.get_secret_value().encode() if key else audit_key(self.places.home)
        url = self.settings.ledger_url or f"sqlite:///{self.places.ledger}"
        database = ledger.Database(url, audit_key=chain_key, ring=self.ring)
        self._database = database
        held = ledger.ledger_ports(
            database, audit_head=self.settings.audit_head or self.places.audit_head
        )
        ports = Ports(
            clock=SystemClock(),
            policy=self.settings.policy,
            components=self.components,
            **held,
            warehouse=later(lambda: self.reads.warehouse(self.warehouse)),
            history=later(lambda: self.warehouse),
            shelf=later(lambda: self.shelf),
            reasoner=later(self._reasoner),
            models=later(self._models),
            actuators=self._actuators(held["work"]),
            tracker=later(self._tracker),
            notifiers=notifiers(self.settings, self.places),
            batches=later(self._batches),
            surroundings=lambda: self.reads.surroundings,
            sources=lambda: self.reads.listed(),
            **self._evidence_ports(),
            intake=later(lambda: intake(self.warehouse)),
            lineage=self._lineage(held["lineage_log"]),
        )
        # Nobody can send what nobody asked for.
        return replace(ports, lineage_log=None) if self.sources.lineage is None else ports

    def _evidence_ports(self) -> dict[str, Any]:
        from agentops_graph.bootstrap.evidence_sources import evidence_ports

        return evidence_ports(self.sources, self.settings, self.place, lambda: self.ring)

    @cached_property
    def issuer(self) -> Issuer | None:
        """Who says who people are, beside our own tokens; None when nobody is set."""
        if self.settings.oidc_issuer is None:
            return None
        from agentops_graph.adapters.oidc_issuer import OidcIssuer

        return OidcIssuer(**self.settings.oidc)

    @cached_property
    def words(self) -> Words:
        """What a language model says in this process, while it comes."""
        return Words()

    @cached_property
    def service(self) -> "Service":
        from agentops_graph.service import Service

        return Service(self.ports)

    def runner(self, kind: str) -> "Runner":
        """A runner of this process; loads the graph."""
        from agentops_graph.adapters.langgraph_checkpoints import open_checkpoints
        from agentops_graph.graph import build_graph
        from agentops_graph.runner import Runner

        note_run(self.database, self.settings, self.components, actor=f"runner {kind}")
        return Runner(
            self.ports,
            build_graph(open_checkpoints(self.places.checkpoints, ring=self.ring)),
            kind=kind,
            lease_s=self.settings.lease_s,
            public_url=self.settings.url,
        )

    @cached_property
    def ring(self) -> Ring:
        """The keys of encryption at rest; without any, what is written is plain."""
        return ring_of(self.settings)

    @property
    def database(self) -> "Database":
        """The ledger's own connection, for what is done to all of its rows."""
        _ = self.ports  # opens it
        return self._database

    @cached_property
    def warehouse(self) -> "SqliteWarehouse | SqlWarehouse":
        """Where rows are: the embedded file, or the database that was declared."""
        from agentops_graph.bootstrap.warehouse import chosen_warehouse

        declared, file = self.sources.warehouse, self.places.warehouse
        return chosen_warehouse(self.settings, declared, file, self.place)

    def _lineage(self, log: LineageLog) -> Lineage:
        # Paths stand beside the file that names them.
        folder = self.sources_file.parent
        declared, watched = self.sources.lineage, self.components
        return lineage_of(declared, watched, folder, log, lambda: self.store)

    def _batches(self) -> Batches:
        from agentops_graph.adapters.pandas_batches import PandasBatches

        # Its files lie beside the file that names them.
        given = self.settings.components_file
        return PandasBatches(given.parent if given else self.places.home, self.warehouse)

    @cached_property
    def shelf(self) -> "SqliteShelf":
        """The knowledge itself, for what only its keeper does: folders, syncs, listings."""
        from agentops_graph.adapters.chroma_index import WORTH_IT, ChromaIndex
        from agentops_graph.adapters.sqlite_shelf import SqliteShelf
        from agentops_graph.bootstrap.embedding import earlier_embedding, embedding_of
        from agentops_graph.bootstrap.reranking import rerank_of

        path, embedding = self.places.knowledge, embedding_of(self.settings)
        folders: list[Path] | None = [shipped("runbooks"), *filter(None, [self.settings.runbooks])]
        if not self._tends_knowledge:
            if not path.exists():  # better its own runbooks than none; tending replaces them
                SqliteShelf(path, folders, embedding).close()
            folders = None
        index = ChromaIndex(
            self.places.chroma,
            url=self.settings.chroma_url,
            allow_remote=self.settings.allow_remote_hosts,
            at_least=0 if self.settings.chroma_url else WORTH_IT,
        )
        rerank = rerank_of(self.settings)
        return SqliteShelf(
            path, folders, embedding, index, earlier=earlier_embedding, rerank=rerank
        )

    def _reasoner(self) -> Reasoner:
        from agentops_graph.bootstrap.reasoners import reasoner_of

        return reasoner_of(self.settings, lambda: self.ports, self.words)

    @cached_property
    def store(self) -> "MlflowStore":
        from agentops_graph.adapters.mlflow_registry import MlflowStore

        return MlflowStore(
            self.settings.mlflow_tracking_uri,
            self.places.home,
            allow_remote=self.settings.allow_remote_hosts,
        )

    @cached_property
    def _http_models(self) -> "HttpModels":
        from agentops_graph.adapters.http_models import HttpModels

        token = self.settings.models_token
        return HttpModels(
            self.settings.models_url or "",
            token.get_secret_value() if token else None,
            allow_remote=self.settings.allow_remote_hosts,
        )

    def _models(self) -> Models:
        if self.settings.models_url:
            return self._http_models
        from agentops_graph.adapters.mlflow_registry import MlflowModels

        return MlflowModels(self.store)

    def _actuators(self, work: DetachedWork) -> dict[str, Actuator]:
        detached = later(lambda: self._detached(work))
        models = later(self._model_actuator)
        return {
            "retrain_model": detached,
            "deploy_model": models,
            "rollback_model": models,
            "rerun_pipeline": detached,
            "scale_infrastructure": detached,
            "shift_traffic": detached,
        }

    def _model_actuator(self) -> Actuator:
        if self.settings.models_url:
            return self._http_models
        from agentops_graph.adapters.mlflow_registry import MlflowActuator

        return MlflowActuator(self.store)

    def _detached(self, work: DetachedWork) -> Actuator:
        from agentops_graph.adapters.subprocess_actuator import SubprocessActuator

        return SubprocessActuator(
            work,
            components=self.components,
            home=self.places.home,
            environment={**without_token(), "AGENTOPS_HOME": str(self.places.home)},
        )

    def _tracker(self) -> Tracker:
        if not self.settings.mlflow:
            from agentops_graph.adapters.silent_tracker import SilentTracker

            return SilentTracker()
        from agentops_graph.adapters.mlflow_registry import MlflowTracker

        return MlflowTracker(self.store, self.settings.mlflow_experiment)

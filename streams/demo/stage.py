"""What the demonstration watches: two versions of a real model behind the gateway, the registry, and their traffic."""

import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from schemas.errors import HeadgateError
from streams.demo.catalogue import publish
from streams.demo.faults import Fault, switch
from streams.demo.models import MODEL
from streams.local.child import Child
from streams.local.gateway import Envoy, Route, Version
from streams.settings import Settings

INSTANCES = {"v1-a": "1", "v2-a": "2", "v2-b": "2"}
FAULTY = "2"
RATE = 50.0
_START_SECONDS = 60.0


@dataclass(slots=True)
class Stage:
    """Registry, model servers, gateway and traffic; a context manager that ends them all.

    Parameters
    ----------
    directory
        Where they keep their files.
    seed
        Chooses the training sample and where in the stream the requests begin.
    """

    settings: Settings
    directory: Path
    seed: int
    gateway: Envoy | None = None
    _children: dict[str, Child] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_traffic()
        for child in self._children.values():
            child.stop(8)
        if self.gateway is not None:
            self.gateway.close()

    @property
    def registry(self) -> str:
        """URI of the MLflow registry."""
        return f"sqlite:///{self.directory.absolute()}/mlflow.db"

    @property
    def fault_file(self) -> Path:
        """The file that names the fault of version 2's feature pipeline."""
        return self.directory / "fault"

    @property
    def stats_file(self) -> Path:
        """Where the traffic writes its counts."""
        return self.directory / "traffic.json"

    def train(self) -> None:
        """Train both versions and register them; champion is version 2."""
        self.directory.mkdir(parents=True, exist_ok=True)
        if not (self.directory / "mlflow.db").exists():
            publish(self.registry, self.directory / "artefacts", self.seed)

    def serve(self) -> None:
        """Start the model servers and the gateway before them, half of the traffic for each version."""
        switch(self.fault_file, Fault.NONE)
        for name, version in INSTANCES.items():
            (self.directory / name).unlink(missing_ok=True)
            where = ["--registry", self.registry, "--version", version, "--instance", name]
            files = ["--ready-file", str(self.directory / name)]
            if version == FAULTY:
                files += ["--fault-file", str(self.fault_file)]
            kafka = ["--bootstrap-servers", self.settings.brokers, "--ledger", self.settings.ledger]
            self._children[name] = self._python("streams.demo.server", name, *where, *files, *kafka)
        at = {name: f"127.0.0.1:{self._port(name)}" for name in INSTANCES}
        versions = {
            version: Version(50, tuple(at[name] for name, own in INSTANCES.items() if own == version))
            for version in sorted(set(INSTANCES.values()))
        }
        self.gateway = Envoy((Route(MODEL, versions),), self.directory)
        self.gateway.start()

    def start_traffic(self) -> None:
        """Send requests through the gateway until stopped."""
        assert self.gateway is not None
        self.stats_file.unlink(missing_ok=True)
        where = ["--url", self.gateway.url, "--stats", str(self.stats_file), "--rate", str(RATE)]
        self._children["traffic"] = self._python("streams.demo.traffic", "traffic", *where, "--seed", str(self.seed))

    def stop_traffic(self) -> None:
        """End the traffic, and wait until its last request was answered."""
        if (traffic := self._children.pop("traffic", None)) is not None:
            traffic.stop(20)

    def break_it(self, fault: Fault) -> None:
        """Make version 2's own feature pipeline wrong."""
        switch(self.fault_file, fault)

    def counts(self) -> dict[str, object]:
        """Return what the traffic has counted so far."""
        try:
            counts: dict[str, object] = json.loads(self.stats_file.read_bytes())
        except FileNotFoundError:
            return {}
        return counts

    def _python(self, module: str, name: str, *arguments: str) -> Child:
        log = self.settings.var / "log" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        return Child([sys.executable, "-m", module, *arguments], log)

    def _port(self, name: str) -> int:
        deadline = time.monotonic() + _START_SECONDS
        while not (self.directory / name).exists():
            if not self._children[name].alive() or time.monotonic() > deadline:
                raise HeadgateError(f"the model server {name} did not start; see {self.settings.var}/log/{name}.log")
            time.sleep(0.02)
        return int((self.directory / name).read_text())

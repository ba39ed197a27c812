"""The world of a drill: its models served for real behind the gateway, registered, asked, and broken on demand."""

import json
import os
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from schemas import probing
from schemas.drill_faults import Fault
from schemas.drills import Scenario
from schemas.errors import HeadgateError
from schemas.probing import Probe
from schemas.systems import System
from streams.drills.cards import registered
from streams.drills.hosting import Hosting, hosting, written
from streams.drills.probes import probe_set
from streams.local.child import Child
from streams.local.gateway import Envoy, Route, Version
from streams.serving.asking import Counts
from streams.serving.files import replace
from streams.serving.registry import register
from streams.serving.web import LOOPBACK
from streams.settings import Settings

PROBE_SECONDS = 2
_START_SECONDS = 60.0


class World:
    """Registry, model servers, gateway and requests; a context manager that ends them all.

    Parameters
    ----------
    settings
        The drill's own: its Kafka, ledger and clock are where the servers say what they did.
    directory
        Where files are kept.
    scenarios
        By name; no two of them declare the same system or model.
    silent
        Whether the servers tell Kafka nothing.
    """

    def __init__(
        self, settings: Settings, directory: Path, scenarios: Mapping[str, Scenario], *, silent: bool = False
    ) -> None:
        self._settings = settings
        self._directory = directory.absolute()
        self._scenarios = scenarios
        self._silent = silent
        self._open = ExitStack()
        self._traffic: Child | None = None
        self._server: Child | None = None
        self._gateway: Envoy | None = None
        self._faults: dict[str, tuple[Fault, ...]] = {}
        self._runs = 0
        self._ended: list[dict[str, Counts]] = []
        self.hosting: Hosting = hosting(scenarios.values())
        self.probes: dict[str, Probe] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_traffic()
        self._open.close()

    @property
    def registry(self) -> str:
        """URI of the MLflow registry."""
        return f"sqlite:///{self._directory}/mlflow.db"

    @property
    def url(self) -> str:
        """The gateway; HeadgateError before anything is served."""
        return self._served().url

    @property
    def environ(self) -> dict[str, str]:
        """What the roles must be told so that they can act here."""
        return {"HEADGATE_ENVOY_ADMIN": self._served().admin, "HEADGATE_MLFLOW_URI": self.registry}

    def serve(self) -> None:
        """Register the versions, start the model servers and the gateway before them, and write the probe sets."""
        self._directory.mkdir(parents=True, exist_ok=True)
        replace(self._hosting_file, self.hosting.model_dump_json())
        self._tell_faults()
        ready = self._directory / "ports"
        ready.unlink(missing_ok=True)
        options = ["--hosting", str(self._hosting_file), "--fault-file", str(self._fault_file)]
        options += ["--ready-file", str(ready), "--stats", str(self._directory / "served.json")]
        self._server = self._python("streams.drills.server", *options, *(["--silent"] if self._silent else []))
        self._open.callback(self._server.stop, 8)
        # The registry takes a second or two to be imported; the servers start meanwhile.
        models = registered(self.hosting, self._scenarios.values())
        if models and not (self._directory / "mlflow.db").exists():
            register(self.registry, self._directory / "artefacts", models)
        ports = self._ports(ready, self._server)
        self._gateway = self._open.enter_context(Envoy(self._routes(ports), self._directory))
        self._write_probes(ports)

    def probed(self, system: System) -> System:
        """Return a system whose models are probed where they are served."""
        models = {
            name: model.model_copy(update={"probe": self.probes.get(name, model.probe)})
            for name, model in system.models.items()
        }
        return system.model_copy(update={"models": models})

    def start_traffic(self) -> None:
        """Send requests through the gateway until stopped."""
        if self._traffic is not None:
            return
        self._runs += 1
        stats = self._stats_file
        stats.unlink(missing_ok=True)
        files = ["--hosting", str(self._hosting_file), "--fault-file", str(self._fault_file), "--stats", str(stats)]
        options = ["--url", self.url, "--run", str(self._runs), "--only", str(self._only_file), *files]
        self._traffic = self._python("streams.drills.traffic", *options)

    def stop_traffic(self) -> None:
        """End the traffic, and wait until its last request was answered."""
        if self._traffic is not None:
            self._traffic.stop(20)
            self._traffic = None
            self._ended.append(self._counted())

    def ask_only(self, models: Iterable[str]) -> None:
        """Ask these models from now on, and no others."""
        replace(self._only_file, json.dumps(sorted(models)))

    def begin(self, key: str, *faults: Fault) -> None:
        """Let faults begin; they are told apart from others by the key."""
        self._faults[key] = faults
        self._tell_faults()

    def end(self, key: str) -> None:
        """Let what began under this key end; harmless where it has."""
        if self._faults.pop(key, None) is not None:
            self._tell_faults()

    def rows(self) -> dict[tuple[str, str], int]:
        """Return how many rows each version has answered so far, by model and version."""
        return {key: answered for key, (answered, _) in self._versions().items()}

    def failures(self) -> dict[tuple[str, str], int]:
        """Return how many rows each version has failed to answer so far; the gateway may have asked another again."""
        return {key: failed for key, (_, failed) in self._versions().items()}

    def counts(self) -> dict[str, Counts]:
        """Return what those who ask have counted so far, by model."""
        total: dict[str, Counts] = {}
        for counted in [*self._ended, *([self._counted()] if self._traffic is not None else [])]:
            for model, counts in counted.items():
                total.setdefault(model, Counts()).add(counts)
        return total

    @property
    def _hosting_file(self) -> Path:
        return self._directory / "hosting.json"

    @property
    def _fault_file(self) -> Path:
        return self._directory / "faults.json"

    @property
    def _only_file(self) -> Path:
        return self._directory / "asking.json"

    @property
    def _stats_file(self) -> Path:
        return self._directory / "asked.json"

    def _served(self) -> Envoy:
        if self._gateway is None:
            raise HeadgateError("nothing is served yet")
        return self._gateway

    def _tell_faults(self) -> None:
        replace(self._fault_file, written(self._faults))

    def _counted(self) -> dict[str, Counts]:
        return {model: Counts(**counts) for model, counts in _read(self._stats_file).items()}

    def _versions(self) -> dict[tuple[str, str], tuple[int, int]]:
        served = _read(self._directory / "served.json")
        return {
            (model, version): (int(answered), int(failed))
            for model, versions in served.items()
            for version, (answered, failed) in versions.items()
        }

    def _python(self, module: str, *arguments: str) -> Child:
        log = self._settings.var / "log" / f"{module.rpartition('.')[2]}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        environ = {**os.environ, "HEADGATE_VAR": str(self._settings.var.absolute())}
        if not self._silent:
            environ |= {
                "HEADGATE_BOOTSTRAP_SERVERS": self._settings.brokers,
                "HEADGATE_LEDGER": self._settings.ledger,
                "HEADGATE_CLOCK": str(self._settings.clock or ""),
            }
        return Child([sys.executable, "-m", module, *arguments], log, environ)

    def _ports(self, ready: Path, server: Child) -> dict[str, dict[str, list[int]]]:
        deadline = time.monotonic() + _START_SECONDS
        while not ready.exists():
            if not server.alive() or time.monotonic() > deadline:
                raise HeadgateError(f"the model servers did not start; see {self._settings.var}/log/server.log")
            time.sleep(0.02)
        ports: dict[str, dict[str, list[int]]] = json.loads(ready.read_bytes())
        return ports

    def _routes(self, ports: Mapping[str, Mapping[str, list[int]]]) -> tuple[Route, ...]:
        routes = []
        for one in self.hosting.models:
            shares = [100 // len(one.versions)] * len(one.versions)
            shares[-1] += 100 - sum(shares)
            versions = {
                version: Version(share, tuple(f"{LOOPBACK}:{port}" for port in ports[one.model][version]))
                for version, share in zip(one.versions, shares, strict=True)
            }
            routes.append(Route(one.route, versions))
        return tuple(routes)

    def _write_probes(self, ports: Mapping[str, Mapping[str, list[int]]]) -> None:
        """Write a probe set for each model that is probed: its vendor's endpoint is that of its newest version."""
        directory = self._settings.probes_directory
        for one in self.hosting.models:
            if not one.served.probed:
                continue
            directory.mkdir(parents=True, exist_ok=True)
            document = probing.write(probe_set(one))
            version = list(one.versions)[-1]
            (directory / f"{one.model}.json").write_bytes(document)
            self.probes[one.model] = Probe(
                endpoint=f"http://{LOOPBACK}:{ports[one.model][version][0]}/v2/models/{one.route}/infer",
                file=f"{one.model}.json",
                digest=probing.digest(document),
                every_seconds=PROBE_SECONDS,
                timeout_seconds=5.0,
                version=version,
            )


def _read(file: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(file.read_bytes())
    except FileNotFoundError:
        return {}
    return found

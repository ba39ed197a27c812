"""Traffic weights of a model's versions, through Envoy's runtime.

Envoy keeps what is set through its admin port in memory and forgets it when it restarts: whoever holds the intent
reconciles (observes, and applies the latest intent again). The admin port has no authentication, so only loopback
addresses are accepted.
"""

import ipaddress
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from schemas.errors import EffectError
from streams.targets.adapter import (
    Change,
    Observation,
    canonical,
    check_name,
    parse_state,
    read_back,
    without_scheme,
)

SCHEME = "envoy"
TOTAL_WEIGHT = 100
_SPLIT = "routing.traffic_split."


class EnvoyTarget:
    """The target ``envoy:<model>``: its state maps each version to its share of traffic in per cent, summing to 100.

    Parameters
    ----------
    admin
        URL of Envoy's admin port, on loopback.
    timeout
        Limit of one request in seconds.
    verify_within
        Limit of a read-back in seconds.
    """

    def __init__(self, admin: str, *, timeout: float = 1.0, verify_within: float = 2.0) -> None:
        _check_loopback(admin)
        self._admin = admin
        self._verify_within = verify_within
        self._http = httpx.Client(base_url=admin, timeout=timeout, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection back."""
        self._http.close()

    def observe(self, target: str) -> Observation:
        """Read the weights in force; EffectError for a model that Envoy does not route."""
        return Observation(target, canonical(self._weights(_model(target))))

    def plan(self, target: str, desired: str) -> Change:
        """Say what reaching the weights `desired` would change; unknown versions are refused here."""
        model = _model(target)
        now = self._weights(model)
        wanted = _checked_weights(model, desired, now)
        shown = Observation(target, canonical(now))
        ready = self._clusters()
        facts = {"ready": {version: ready.get(f"{model}-{version}", 0) for version in now}}
        return Change(target, shown.state, canonical(wanted), shown.digest, canonical(facts))

    def apply(self, change: Change, key: str) -> None:
        """Set all weights of the model in one request, which Envoy takes as one snapshot."""
        model = _model(change.target)
        wanted = _checked_weights(model, change.after, self._weights(model))
        settings = {f"{_SPLIT}{model}.{model}-{version}": str(weight) for version, weight in wanted.items()}
        self._call("POST", "/runtime_modify", settings, {"x-request-id": key[:200]})

    def verify(self, change: Change) -> Observation:
        """Read the runtime back until it shows the weights of `change`."""
        return read_back(lambda: self.observe(change.target), change.after, self._verify_within)

    def revert(self, snapshot: Observation) -> Observation:
        """Set the weights of an earlier observation and read them back."""
        change = self.plan(snapshot.target, snapshot.state)
        self.apply(change, f"revert-{snapshot.digest}")
        return self.verify(change)

    def _weights(self, model: str) -> dict[str, int]:
        """Return weight by version, for the versions whose cluster exists."""
        prefix = f"{_SPLIT}{model}.{model}-"
        entries = self._json("/runtime", {"format": "json"}).get("entries", {})
        clusters = self._clusters()
        weights = {
            key.removeprefix(prefix): _weight(key, entry.get("final_value"))
            for key, entry in entries.items()
            if key.startswith(prefix) and f"{model}-{key.removeprefix(prefix)}" in clusters
        }
        if not weights:
            raise EffectError(f"Envoy at {self._admin} routes no model {model!r}", retryable=False)
        return weights

    def _clusters(self) -> dict[str, int]:
        """Return the number of instances that Envoy holds to be healthy, by cluster."""
        return {
            status["name"]: sum(
                not host.get("health_status", {}).get("failed_active_health_check", False)
                for host in status.get("host_statuses", [])
            )
            for status in self._json("/clusters", {"format": "json"}).get("cluster_statuses", [])
        }

    def _json(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        try:
            value = self._call("GET", path, query, {}).json()
        except ValueError as error:
            raise EffectError(f"Envoy at {self._admin} answered {path} with no JSON", retryable=True) from error
        if not isinstance(value, dict):
            raise EffectError(f"Envoy at {self._admin} answered {path} with no JSON object", retryable=True)
        return value

    def _call(self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> httpx.Response:
        try:
            response = self._http.request(method, path, params=dict(query), headers=dict(headers))
        except httpx.HTTPError as error:
            raise EffectError(
                f"Envoy's admin port {self._admin} does not answer ({type(error).__name__}); is the gateway running?",
                retryable=True,
            ) from error
        if response.status_code != httpx.codes.OK:
            raise EffectError(
                f"Envoy refused {method} {path} with {response.status_code}: {response.text[:200].strip()}",
                retryable=response.is_server_error,
            )
        return response


def _model(target: str) -> str:
    return check_name(without_scheme(target, SCHEME), "model")


def _weight(key: str, value: object) -> int:
    try:
        return int(str(value))
    except ValueError as error:
        raise EffectError(f"Envoy shows {str(value)[:40]!r} for {key}, which is no weight", retryable=False) from error


def _checked_weights(model: str, desired: str, now: Mapping[str, int]) -> dict[str, int]:
    """Return the whole new split: versions that `desired` leaves out get nothing."""
    wanted = dict.fromkeys(now, 0)
    for version, weight in parse_state(desired).items():
        if version not in now:
            raise EffectError(f"Envoy has no cluster {model}-{version[:80]}; nothing was changed", retryable=False)
        if type(weight) is not int or not 0 <= weight <= TOTAL_WEIGHT:
            raise EffectError(f"the weight {weight!r} of {model}-{version} is not within 0-100", retryable=False)
        wanted[version] = weight
    if sum(wanted.values()) != TOTAL_WEIGHT:
        raise EffectError(f"the weights of {model!r} sum to {sum(wanted.values())}, not to 100", retryable=False)
    return wanted


def _check_loopback(admin: str) -> None:
    host = urlsplit(admin).hostname or ""
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise EffectError(
            f"Envoy's admin port has no authentication: {host!r} is not loopback, bind it to 127.0.0.1",
            retryable=False,
        )

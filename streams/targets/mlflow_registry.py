"""Which version of a model an alias names, in an MLflow model registry.

MLflow takes about a second to import, so it is imported when the first registry is opened; its telemetry is switched
off before that. Nothing here needs the network when the registry is a SQLite file.
"""

import hashlib
import json
import logging
import os
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

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

SCHEME = "mlflow"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a registered version comes from; `signature` is the SHA-256 of its input and output schema, or empty."""

    model: str
    version: str
    run_id: str
    source: str
    tags: dict[str, str]
    signature: str


class MlflowTarget:
    """The target ``mlflow:<model>/<alias>``: its state is ``{"version":"<n>"}``, or ``{"version":null}`` without alias.

    Parameters
    ----------
    uri
        Of the registry, such as ``sqlite:////srv/mlflow.db``.
    verify_within
        Limit of a read-back in seconds.
    """

    def __init__(self, uri: str, *, verify_within: float = 2.0) -> None:
        self._uri = uri
        self._verify_within = verify_within
        self._client = open_registry(uri)

    def observe(self, target: str) -> Observation:
        """Read which version the alias names; EffectError for a model that is not registered."""
        model, alias = _split(target)
        aliases = self._ask(lambda: self._client.get_registered_model(model)).aliases
        version = aliases.get(alias)
        return Observation(target, canonical({"version": None if version is None else str(version)}))

    def plan(self, target: str, desired: str) -> Change:
        """Say what pointing the alias at `desired` would change; an unknown version is refused here."""
        model, _ = _split(target)
        version = _wanted(desired)
        lineage = self.lineage(model, version)
        now = self.observe(target)
        facts = {
            "run": lineage.run_id,
            "signature": lineage.signature,
            "source": lineage.source,
            "tags": lineage.tags,
        }
        return Change(target, now.state, canonical({"version": version}), now.digest, canonical(facts))

    def apply(self, change: Change, key: str) -> None:  # noqa: ARG002 - an alias set twice is an alias set once
        """Point the alias at the version of `change`."""
        model, alias = _split(change.target)
        version = _wanted(change.after)
        self._ask(lambda: self._client.get_model_version(model, version))
        self._ask(lambda: self._client.set_registered_model_alias(model, alias, version))

    def verify(self, change: Change) -> Observation:
        """Read the alias back until it names the version of `change`."""
        return read_back(lambda: self.observe(change.target), change.after, self._verify_within)

    def revert(self, snapshot: Observation) -> Observation:
        """Point the alias back at the version of an earlier observation and read it back."""
        if parse_state(snapshot.state).get("version") is None:
            model, alias = _split(snapshot.target)
            self._ask(lambda: self._client.delete_registered_model_alias(model, alias))
            return read_back(lambda: self.observe(snapshot.target), snapshot.state, self._verify_within)
        change = self.plan(snapshot.target, snapshot.state)
        self.apply(change, f"revert-{snapshot.digest}")
        return self.verify(change)

    def lineage(self, model: str, version: str) -> Lineage:
        """Return run, source, tags and signature of a version; EffectError when it does not exist."""
        found = self._ask(lambda: self._client.get_model_version(check_name(model, "model"), version))
        source, run_id = str(found.source or ""), str(found.run_id or "")
        tags = {str(name): str(value) for name, value in found.tags.items()}
        return Lineage(model, version, run_id, source, tags, self._signature(run_id))

    def _signature(self, run_id: str) -> str:
        """Return the digest of the signature that the run logged beside the model."""
        if not run_id:
            return ""
        with tempfile.TemporaryDirectory(prefix="headgate-") as folder:
            if "MLmodel" not in {Path(file.path).name for file in self._files(run_id)}:
                return ""
            path = self._ask(lambda: self._client.download_artifacts(run_id, "model/MLmodel", folder))
            try:
                signature = json.loads(Path(path).read_text())["signature"]
            except (OSError, ValueError, LookupError, TypeError):
                return ""  # written by another tool (YAML, or without a signature): no digest to compare
        return hashlib.sha256(canonical({"signature": signature}).encode()).hexdigest()

    def _files(self, run_id: str) -> list[Any]:
        return list(self._ask(lambda: self._client.list_artifacts(run_id, "model")))

    def _ask(self, call: Callable[[], _T]) -> _T:
        return ask(self._uri, call)


def open_registry(uri: str, *, create: bool = False) -> Any:
    """Return an MlflowClient of the registry at `uri`, its telemetry off; EffectError when it cannot be opened.

    A SQLite file that does not exist is made only when `create` says so: a mistyped path must not become an empty
    registry.
    """
    file = uri.removeprefix("sqlite:///")
    if not create and file != uri and not Path(file).is_file():
        raise EffectError(f"there is no model registry at {uri}", retryable=False)
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["DO_NOT_TRACK"] = "true"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its imports and migrations; what a later call warns of stays visible
        from mlflow import MlflowClient

        for name in ("mlflow", "alembic"):  # after the import, which sets levels of its own
            logging.getLogger(name).setLevel(logging.WARNING)

        def opened() -> Any:
            client = MlflowClient(tracking_uri=uri, registry_uri=uri)
            client.search_registered_models(max_results=1)
            return client

        return ask(uri, opened)


def ask(uri: str, call: Callable[[], _T]) -> _T:
    """Return what `call` on the registry returns; every failure is an EffectError that names the registry."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        return call()
    except MlflowException as error:
        missing = error.error_code == "RESOURCE_DOES_NOT_EXIST"
        refused = missing or error.error_code == "INVALID_PARAMETER_VALUE"
        raise EffectError(f"the registry {uri} says: {_first_line(error)}", retryable=not refused) from error
    except (SQLAlchemyError, OSError) as error:
        raise EffectError(f"the registry {uri} does not answer: {_first_line(error)}", retryable=True) from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]


def _split(target: str) -> tuple[str, str]:
    model, _, alias = without_scheme(target, SCHEME).partition("/")
    return check_name(model, "model"), check_name(alias, "registry alias")


def _wanted(desired: str) -> str:
    version = parse_state(desired).get("version")
    if not isinstance(version, str) or not version.isascii() or not version.isdecimal():
        raise EffectError(f"{desired[:80]!r} names no version of the registry", retryable=False)
    return version

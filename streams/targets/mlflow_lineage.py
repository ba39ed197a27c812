"""Where a registered version comes from, as MLflow tells it: training run, data, model card and signature."""

from collections.abc import Iterable, Mapping
from typing import Any

from schemas.errors import EffectError
from streams.clock import of_broker
from streams.targets.mlflow_registry import MlflowTarget, ask, open_registry

MAX_TAGS = 50
MAX_DATA = 20
_MAX_TEXT = 1000
_CONTEXT = "mlflow.data.context"


class LineageReader:
    """Reads lineages from the registry at `uri`; EffectError where it cannot be opened."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._target = MlflowTarget(uri)
        self._client = open_registry(uri)

    def read(self, model: str, version: str) -> dict[str, Any]:
        """Return what is known of a registered version as plain values, within bounds.

        Raises
        ------
        EffectError
            There is no such version, or the registry does not answer (then it is retryable).
        """
        lineage = self._target.lineage(model, version)
        found = ask(self._uri, lambda: self._client.get_model_version(model, version))
        card = ask(self._uri, lambda: self._client.get_registered_model(model))
        return {
            "registered": model,
            "source": _clip(lineage.source),
            "signature": lineage.signature,
            "created_at": of_broker(int(found.creation_timestamp or 0)),
            "card": {
                "model": _clip(card.description),
                "version": _clip(found.description),
                "tags": _tags(lineage.tags),
                "aliases": sorted(_clip(alias) for alias, names in card.aliases.items() if str(names) == version),
            },
            **self._of_run(lineage.run_id),
        }

    def _of_run(self, run_id: str) -> dict[str, Any]:
        """Return the training run and its data; a run that is gone is told as such."""
        nothing: dict[str, Any] = {"run": {"id": _clip(run_id)}, "data": []}
        if not run_id:
            return nothing
        try:
            run = ask(self._uri, lambda: self._client.get_run(run_id))
        except EffectError as error:
            if error.retryable:
                raise
            return nothing | {"run": {"id": _clip(run_id), "unknown": "the registry no longer has the run"}}
        told = {
            "id": _clip(run_id),
            "name": _clip(run.info.run_name),
            "status": _clip(run.info.status),
            "started_at": int(run.info.start_time or 0),
            "ended_at": int(run.info.end_time or 0),
            "parameters": _tags(run.data.params),
        }
        inputs = run.inputs.dataset_inputs if run.inputs is not None else ()
        return {"run": told, "data": [_data(one) for one in list(inputs)[:MAX_DATA]]}


def _data(one: Any) -> dict[str, str]:
    contexts: Iterable[Any] = (tag.value for tag in one.tags if tag.key == _CONTEXT)
    return {
        "name": _clip(one.dataset.name),
        "digest": _clip(one.dataset.digest),
        "source": _clip(one.dataset.source),
        "context": _clip(next(iter(contexts), "")),
    }


def _tags(tags: Mapping[str, Any]) -> dict[str, str]:
    return {_clip(name): _clip(tags[name]) for name in sorted(tags)[:MAX_TAGS]}


def _clip(text: object) -> str:
    return "" if text is None else str(text)[:_MAX_TEXT]

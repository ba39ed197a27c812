"""What models an MLflow registry holds: names, descriptions, versions and aliases, for an inventory to begin with."""

from dataclasses import dataclass
from typing import Any

from streams.targets.mlflow_registry import ask, open_registry

MAX_MODELS = 200
MAX_VERSIONS = 20
_PAGE = 100
_MAX_TEXT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A registered model; `versions` are its newest, in order, and `aliases` name the version of each alias."""

    name: str
    description: str
    versions: tuple[str, ...]
    aliases: dict[str, str]


def inventory(uri: str) -> tuple[list[Registered], bool]:
    """Return the registered models by name, and whether there are more; EffectError where the registry says no."""
    client = open_registry(uri)
    found: list[Any] = []
    token: str | None = None
    while len(found) <= MAX_MODELS:
        page = ask(uri, lambda token=token: client.search_registered_models(max_results=_PAGE, page_token=token))  # type: ignore[misc]
        found += page
        token = page.token
        if not token:
            break
    models = sorted(found, key=lambda model: str(model.name))[:MAX_MODELS]
    return [_registered(client, uri, model) for model in models], len(found) > MAX_MODELS


def _registered(client: Any, uri: str, model: Any) -> Registered:
    quoted = str(model.name).replace("'", "\\'")
    newest = ask(uri, lambda: client.search_model_versions(f"name='{quoted}'", max_results=MAX_VERSIONS))
    return Registered(
        name=str(model.name),
        description=str(model.description or "")[:_MAX_TEXT],
        versions=tuple(sorted((str(one.version) for one in newest), key=_number)),
        aliases={str(alias): str(version) for alias, version in model.aliases.items()},
    )


def _number(version: str) -> tuple[int, str]:
    return (int(version) if version.isascii() and version.isdecimal() else 0, version)

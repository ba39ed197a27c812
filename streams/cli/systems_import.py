"""`headgate systems import`: a first draft of the systems document, from what a registry holds."""

import click

from schemas.errors import PolicyError
from streams.settings import Settings
from streams.view.rendering import emit


@click.group(name="import")
def command() -> None:
    r"""Draft a systems document from a registry; nothing is adopted.

    \b
    Example:
      headgate systems import mlflow > systems.toml
    """


@command.command()
@click.option("--uri", default="", help="Of the registry; HEADGATE_MLFLOW_URI where it is not given.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def mlflow(settings: Settings, uri: str, *, as_json: bool) -> None:
    """Print a draft that declares each registered model, with its versions and what its serving alias names.

    Example: headgate systems import mlflow --uri sqlite:///mlflow.db > systems.toml
    """
    from streams.targets.mlflow_inventory import inventory
    from streams.view.systems_draft import fitting

    uri = uri or settings.mlflow_uri or ""
    if not uri:
        raise PolicyError("no registry is named; give --uri or set HEADGATE_MLFLOW_URI")
    models, more = inventory(uri)
    document, left_out = fitting(models)
    if as_json:
        emit({"document": document, "models": len(models) - left_out, "left_out": left_out, "more": more})
        return
    click.echo(document, nl=False)
    if left_out or more:
        rest = f"{left_out} models and all after them" if more else f"{left_out} models"
        click.echo(f"headgate: {rest} do not fit into one document and were left out", err=True)

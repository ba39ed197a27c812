"""`headgate profile`: what a model's inputs and outputs look like when all is well, learnt from a file beforehand."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from schemas.errors import HeadgateError, PolicyError
from schemas.values import Mode
from streams.settings import DEPLOY, Settings
from streams.view.rendering import emit
from streams.view.signing_in import sign_in, signed

_File = click.Path(path_type=Path, exists=True, dir_okay=False)
_PROFILE = click.argument("profile", type=_File)
_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@click.group(name="profile")
def command() -> None:
    r"""Build, look at and adopt reference profiles: a monitor that has one judges from its first row.

    Without a profile a monitor learns from the first clean rows it sees. A profile holds counts and edges, no rows.

    \b
    Examples:
      headgate profile build train.parquet --model loans --version 3 --features income,debt --out loans-3.hgp
      headgate profile show loans-3.hgp
      headgate profile adopt loans-3.hgp --as admin
    """


def _names(_ctx: click.Context, _option: click.Parameter, values: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for value in values for name in value.split(",") if name.strip()))


@command.command()
@click.argument("file", type=_File)
@click.option("--model", required=True, help="Id of the model, as its telemetry names it.")
@click.option("--version", "model_version", required=True, help="The version that the rows are of.")
@click.option("--features", multiple=True, required=True, callback=_names, help="Columns the model reads.")
@click.option("--time", "at", help="Column of the time: ISO 8601, seconds or ms since 1970, or any rising number.")
@click.option("--prediction", help="Column of what the model said: a class or a number.")
@click.option("--confidence", help="Column of the model's confidence, 0 to 1.")
@click.option("--label", help="Column of what turned out to be true.")
@click.option("--group", multiple=True, callback=_names, help="Columns of groups that must be treated alike.")
@click.option("--latency", help="Column of milliseconds that a prediction took.")
@click.option("--policy", "rules", type=_File, help="Learn under this policy; by default the one deployed.")
@click.option("--systems", "watched", type=_File, help="Systems document: which rules of policy apply.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="File to write, .hgp.")
@_JSON
def build(file: Path, out: Path, *, as_json: bool, **given: Any) -> None:
    r"""Learn the profile of FILE, CSV (also .gz) with a header line, or Parquet; the newest 20,000 rows count.

    The same rows under the same policy give the same file. Says what is peculiar about the rows.

    \b
    Example:
      headgate profile build train.csv --model loans --version 3 --time at --features income,debt \
        --prediction said --confidence sure --label paid --group sex --out loans-3.hgp
    """
    from agents.detection import reference
    from streams.profiles.building import build as learn
    from streams.profiles.report import document, say

    layout, recipe = _asked(given)
    data = reference.written(learn(file, layout, recipe))
    out.write_bytes(data)
    found = document(reference.read(data), data)
    if as_json:
        emit(found | {"file": str(out)})
    else:
        say(found)
        click.echo(f"\nwritten to {out}")


@command.command()
@_PROFILE
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Draw the features to OUT.png or .html.")
@_JSON
def show(profile: Path, plot: Path | None, *, as_json: bool) -> None:
    """Say what PROFILE has learnt, and what was peculiar about its rows: nulls, gaps, stuck values, groups, seasons.

    Example: headgate profile show loans-3.hgp
    """
    from agents.detection import reference
    from streams.profiles import report

    data = _read(profile)
    known = reference.read(data)
    if plot is not None:
        report.draw(known, plot)
    found = report.document(known, data)
    if as_json:
        emit(found)
    else:
        report.say(found)


@command.command()
@_PROFILE
@_JSON
def check(profile: Path, *, as_json: bool) -> None:
    """Say whether a monitor can go on from PROFILE, and its digest; exit 1 with one sentence where it cannot.

    Example: headgate profile check loans-3.hgp
    """
    from agents.detection import reference

    data = _read(profile)
    known = reference.read(data)
    reference.try_out(known)
    digest = reference.digest(data)
    if as_json:
        emit({"file": str(profile), "valid": True, "digest": digest, "model": known.model, "version": known.version})
    else:
        click.echo(f"{profile} is a profile of {known.model} version {known.version}; its digest is {digest}")


@command.command()
@_PROFILE
@click.option("--model", default="", help="Id of the model; by default the one it was built for.")
@click.option("--version", "model_version", default="", help="The version; by default the one it was built for.")
@_JSON
@signed(default="admin")
@click.pass_obj
def adopt(
    settings: Settings, /, profile: Path, who: str, passphrase_file: Path | None, *, as_json: bool, **given: str
) -> None:
    """Have a model version judged against PROFILE from now on, signed by an administrator or ML manager.

    Example: headgate profile adopt loans-3.hgp --as admin
    """
    from agents.detection import reference
    from streams.profiles.adopting import say_adopted

    data = _read(profile)
    known = reference.read(data)
    reference.try_out(known)
    model, version = given["model"] or known.model, given["model_version"] or known.version
    say_adopted(settings, sign_in(settings, who, passphrase_file), (model, version), data, as_json=as_json)


@command.command()
@click.argument("model")
@click.argument("version")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="File to write, .hgp.")
@click.pass_obj
def fetch(settings: Settings, /, model: str, version: str, out: Path) -> None:
    """Fetch the profile of MODEL's VERSION from the MLflow registry that HEADGATE_MLFLOW_URI names.

    It is the artefact headgate.hgp of the version's run, or the one that the version's tag headgate.profile names.

    Example: headgate profile fetch loans 3 --out loans-3.hgp
    """
    from agents.detection import reference
    from streams.profiles.registry import registered

    if settings.mlflow_uri is None:
        raise PolicyError("HEADGATE_MLFLOW_URI names no registry")
    data = registered(settings.mlflow_uri, model, version)
    reference.read(data)
    out.write_bytes(data)
    click.echo(f"{reference.digest(data)} is written to {out}")


@command.command(name="list")
@_JSON
@click.pass_obj
def listing(settings: Settings, *, as_json: bool) -> None:
    """List the model versions that are judged against an adopted profile.

    Example: headgate profile list
    """
    from streams.profiles.adopting import say_list

    say_list(settings, as_json=as_json)


def _read(path: Path) -> bytes:
    from agents.detection.reference import MAX_BYTES

    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _asked(given: dict[str, Any]) -> tuple[Any, Any]:
    from agents.detection.columns import check_name
    from agents.detection.standard import Standard
    from schemas import documents, policy, systems
    from streams.backtest.layout import Layout
    from streams.ledger.genesis import read_document
    from streams.profiles.building import Recipe

    check_name("model", given["model"])
    check_name("version", given["model_version"])
    try:
        document = read_document(given["rules"] or DEPLOY / "policy.toml")
        rules = policy.read(document)
        watched = systems.read(read_document(given["watched"])) if given["watched"] else systems.Systems(version=1)
    except PolicyError as error:
        raise HeadgateError(str(error)) from None
    digest = documents.digest(document)
    selected = Standard(digest, rules.detection, watched).select(given["model"], Mode.REALTIME)
    layout = Layout(
        features=given["features"],
        time=given["at"],
        prediction=given["prediction"],
        confidence=given["confidence"],
        label=given["label"],
        groups=given["group"],
        latency=given["latency"],
    )
    return layout, Recipe(model=given["model"], version=given["model_version"], policy=digest, selected=selected)

"""`headgate probe`: the questions that show whether a model is still the one it was."""

import json
from pathlib import Path
from typing import Any

import click

from schemas import probing
from schemas.errors import PolicyError
from schemas.probing import ProbeSet
from streams.clock import now_ms
from streams.view.rendering import clean, emit, table

_File = click.Path(path_type=Path, exists=True, dir_okay=False)
_SET = click.argument("probes", type=_File)
_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@click.group(name="probe")
def command() -> None:
    r"""Build, look at and run canary probes: the same questions, asked again and again.

    A vendor may exchange a model without a new version. Declare `probe` for a model in the systems document, with the
    digest of its probe set: who signs that document signs the probes. `headgate run probe` asks them.

    \b
    Examples:
      headgate probe build inputs.jsonl --model credit --output prediction --out var/probes/credit.json
      headgate probe show var/probes/credit.json
      headgate probe run var/probes/credit.json --endpoint https://models.example/credit
    """


@command.command()
@click.argument("inputs", type=_File)
@click.option("--model", required=True, help="Id of the model, as the systems document names it.")
@click.option("--output", default="", help="Where the answer is in the response, such as choices.0.text; else all.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="File to write.")
@_JSON
def build(inputs: Path, model: str, output: str, out: Path, *, as_json: bool) -> None:
    """Make a probe set of INPUTS, a file with one JSON object a line, each the body of a request.

    Prints the lines that declare it in the systems document.

    Example: headgate probe build inputs.jsonl --model credit --output prediction --out var/probes/credit.json
    """
    from streams.probes.prober import read_bounded

    bodies = [_body(line, number) for number, line in enumerate(read_bounded(inputs).splitlines(), 1) if line.strip()]
    given = {"version": 1, "model": model, "output": output, "probes": bodies}
    probes = probing.read(json.dumps(given).encode(), str(inputs))
    document = probing.write(probes)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(document)
    if as_json:
        emit(_shown(probes, document) | {"file": str(out)})
        return
    click.echo(f"{len(probes.probes)} probes of {clean(model)} are in {out}; declare them in the systems document:\n")
    click.echo(
        f'probe = {{ endpoint = "https://…", file = "{out.name}", digest = "{probing.digest(document)}", '
        "every_seconds = 300 }"
    )


@command.command()
@_SET
@_JSON
def show(probes: Path, *, as_json: bool) -> None:
    """Say what PROBES asks of which model, and its digest; exit 2 with one sentence where it is no probe set.

    Example: headgate probe show var/probes/credit.json
    """
    known, document = _read(probes)
    if as_json:
        emit(_shown(known, document))
        return
    click.echo(f"{len(known.probes)} probes of {clean(known.model)}, digest {probing.digest(document)}")
    cells = [[str(number), clean(json.dumps(body))[:100]] for number, body in enumerate(known.probes)]
    table(("probe", "body"), cells, "no probes")


@command.command()
@_SET
@click.option("--endpoint", required=True, help="http or https URL that takes one probe a POST.")
@click.option("--timeout", default=10.0, show_default=True, type=click.FloatRange(0.1, 120), help="Seconds an answer.")
@_JSON
def run(probes: Path, endpoint: str, timeout: float, *, as_json: bool) -> None:
    """Ask PROBES once and print the fingerprint of the answers; nothing is published.

    Example: headgate probe run var/probes/credit.json --endpoint http://127.0.0.1:8080/predict
    """
    from streams.probes.asking import Asker

    known, document = _read(probes)
    digest = probing.digest(document)
    try:
        probing.Probe(endpoint=endpoint, file="given.json", digest=digest)
    except ValueError:
        raise PolicyError(f"{endpoint[:200]} is no http or https URL without user and password") from None
    with Asker(endpoint, timeout) as asker:
        result = asker.run(known, digest, "unversioned", now_ms())
    if as_json:
        emit(result)
        return
    answered = sum(map(bool, result.exact))
    click.echo(f"fingerprint {result.fingerprint}")
    click.echo(f"{answered} of {len(result.exact)} probes answered, {result.latency_ms:.0f} ms the median")
    cells = [
        [str(number), exact or "-", clean(form) or "-"]
        for number, (exact, form) in enumerate(zip(result.exact, result.coarse, strict=True))
    ]
    table(("probe", "answer", "form"), cells, "no probes")


def _read(path: Path) -> tuple[ProbeSet, bytes]:
    from streams.probes.prober import read_bounded

    document = read_bounded(path)
    return probing.read(document, str(path)), document


def _shown(probes: ProbeSet, document: bytes) -> dict[str, Any]:
    return probes.model_dump() | {"digest": probing.digest(document)}


def _body(line: bytes, number: int) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        raise PolicyError(f"line {number} of the inputs is not JSON") from None

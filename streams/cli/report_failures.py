"""`headgate report failures`: the rows behind judged signals, labelled, for retraining and for validation tests."""

from pathlib import Path

import click

from agents.metrics.history import histories
from streams.archive.evidence import evidence_store
from streams.archive.explain import Archive
from streams.ledger.keyring import archive_key
from streams.settings import Settings
from streams.view.asking import OpenLedger
from streams.view.incident_view import resolve
from streams.view.rendering import emit


@click.command(name="failures")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the rows to FILE.parquet.")
@click.option("--tests", type=click.Path(path_type=Path, file_okay=False), help="Write validation tests into DIR.")
@click.option("--incident", default="", help="Only of this incident.")
@click.option("--model", default="", help="Only of this model.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def command(
    settings: Settings, out: Path | None, tests: Path | None, incident: str, model: str, *, as_json: bool
) -> None:
    r"""Export the frozen rows of signals that people judged true, false or benign, with what they said of them.

    The rows come decrypted from the evidence store of this machine, which the ledger names by digest: they may be
    personal data. With --tests, a pytest file stands beside them that a model's team runs against its own predict().

    \b
    Examples:
      headgate report failures --out failures.parquet
      headgate report failures --model credit --tests validation/
      HEADGATE_PREDICT=credit.model:predict pytest validation/
    """
    from streams.archive.failure_tests import write_rows, write_tests
    from streams.archive.failures import failures

    if out is None and tests is None:
        raise click.UsageError("--out FILE, --tests DIR or both say where the rows are to go.")
    with OpenLedger(settings) as ledger:
        found = histories(ledger.of(resolve(ledger, incident).incident) if incident else ledger.entries)
    archive = Archive(settings)
    try:
        rows = failures(found, evidence_store(settings, archive_key(settings.keys_directory)), archive, model)
    finally:
        archive.index.close()
    written = []
    if out is not None:
        write_rows(rows, out)
        written.append(str(out))
    if tests is not None:
        written.append(str(write_tests(rows, tests)))
    labelled = rows.num_rows - rows.column("label").null_count
    if as_json:
        emit({"rows": rows.num_rows, "labelled": labelled, "written": written})
    else:
        click.echo(f"{rows.num_rows} rows, {labelled} with a label, written to {' and '.join(written)}")

"""`headgate reviews`: single decisions of running incidents that wait for a person, and what was said of them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from agents.ledger.case import Case
from agents.ledger.regions.reviews import Review
from schemas.case import reviews as r
from schemas.case.reviews import ReviewVerdict
from schemas.errors import HeadgateError
from streams.archive.evidence import evidence_store
from streams.archive.store import SealedStore
from streams.clock import now_ms
from streams.ledger.keyring import archive_key
from streams.settings import Settings
from streams.view.asking import OpenLedger
from streams.view.incident_view import named, resolve, short
from streams.view.on_case import principal_of
from streams.view.rendering import clean, emit, jsonable, table, tell, when
from streams.view.sentences import sentence
from streams.view.signing_in import names_of, sign_in, signed

_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")
_PREDICTION = click.argument("prediction")
_INCIDENT = click.option("--incident", default="", help="The incident, where several ask for the same decision.")
_REASON = click.option("--reason", required=True, help="Why, for the ledger.")


@click.group(name="reviews", invoke_without_command=True)
@click.option("--mine", is_flag=True, help="Only those of people whose keys are on this machine, and nobody's.")
@click.option("--all", "every", is_flag=True, help="Also those that are decided.")
@_JSON
@click.pass_context
def command(ctx: click.Context, *, mine: bool, every: bool, as_json: bool) -> None:
    r"""List the single decisions that wait for a person, the overdue first, and decide on them.

    While an incident runs, decisions of its window that are uncertain or risky go to a reviewer, as policy [reviews]
    says. What you say is signed, goes to the model's team as a label, and can be exported.

    \b
    Examples:
      headgate reviews
      headgate reviews show p-1024
      headgate reviews uphold p-1024 --reason "the file says the same" --as rio
      headgate reviews override p-1025 --label no --reason "income was read wrongly" --as rio
      headgate reviews export --out reviewed.parquet
    """
    if ctx.invoked_subcommand is not None:
        return
    settings: Settings = ctx.obj
    names, now = names_of(settings), now_ms()
    with OpenLedger(settings) as ledger:
        rows = [
            document(case, review, now)
            for case, review in _reviews(ledger.state.cases.values())
            if (every or review.verdict is None) and (not mine or not review.assignee or review.assignee in names)
        ]
        rows.sort(key=lambda one: (one["state"] != "overdue", one["due_at"], one["prediction"]))
        if as_json:
            emit(rows)
            return
        shown = [
            [
                one["prediction"],
                one["state"],
                when(one["due_at"]),
                names.get(one["assignee"], one["assignee"]) or "nobody",
                one["band"],
                "" if one["confidence"] is None else f"{one['confidence']:.2f}",
                one["risk"],
                short(ledger, one["incident"]) + (" (DRILL)" if one["drill"] else ""),
                f"{one['model']} {one['version']}",
            ]
            for one in rows
        ]
    heads = ("prediction", "state", "due", "reviewer", "band", "confidence", "risk", "incident", "model")
    table(heads, shown, "no decision waits for a review")


def document(case: Case, review: Review, now: int) -> dict[str, Any]:
    """Return a review for JSON; `state` is overdue, waiting, upheld or overridden."""
    if review.verdict is None:
        state = "overdue" if review.due_at <= now else "waiting"
    else:
        state = "upheld" if review.verdict is ReviewVerdict.UPHOLD else "overridden"
    told: dict[str, Any] = jsonable(review)
    return {"incident": case.incident, "drill": case.drill, "state": state, **told}


@command.command()
@_PREDICTION
@_INCIDENT
@_JSON
@click.pass_obj
def show(settings: Settings, prediction: str, incident: str, *, as_json: bool) -> None:
    """Print a decision that is or was reviewed: what was decided from what, and what was said of it.

    The row comes decrypted from the evidence store of this machine; it may be personal data.

    Example: headgate reviews show p-1024
    """
    from streams.archive.reviewed import row_of

    names, now = names_of(settings), now_ms()
    with OpenLedger(settings) as ledger:
        case, review = _find(ledger, prediction, incident)
    told = document(case, review, now)
    try:
        values = row_of(_store(settings), case.incident, review)["values"]
    except (HeadgateError, OSError) as error:
        values, told["row_missing"] = {}, str(error)
    if as_json:
        emit({**told, "values": values})
        return
    who = names.get(review.assignee, review.assignee) or "nobody"
    click.echo(clean(f"decision {prediction} of {review.model} {review.version}, incident {case.incident}"))
    click.echo(clean(f"  {told['state']}, due {when(review.due_at)}, for {who}; {review.band.value}"))
    if review.verdict is not None:
        by = names.get(review.decided_by, review.decided_by)
        label = f", it is {review.label}" if review.label else ""
        click.echo(clean(f"  {told['state']} by {by}{label}: {review.reason}"))
    rows = [[one["role"], name, str(one["value"])] for name, one in values.items()]
    table(
        ("role", "column", "value"), rows, clean(f"the row cannot be shown: {told.get('row_missing', 'it is empty')}")
    )


@command.command()
@_PREDICTION
@_INCIDENT
@_REASON
@_JSON
@signed()
@click.pass_obj
def uphold(settings: Settings, /, prediction: str, incident: str, reason: str, **signer: Any) -> None:
    """Say that the decision PREDICTION is right as it is.

    Example: headgate reviews uphold p-1024 --reason "the file says the same" --as rio
    """
    _ask(
        settings, prediction, incident, r.DecideReview, verdict=ReviewVerdict.UPHOLD, label="", reason=reason, **signer
    )


@command.command()
@_PREDICTION
@_INCIDENT
@click.option("--label", required=True, help="The right outcome.")
@_REASON
@_JSON
@signed()
@click.pass_obj
def override(settings: Settings, /, prediction: str, incident: str, label: str, reason: str, **signer: Any) -> None:
    """Say that the decision PREDICTION is wrong, and what is right.

    Example: headgate reviews override p-1025 --label no --reason "income was read wrongly" --as rio
    """
    verdict = ReviewVerdict.OVERRIDE
    _ask(settings, prediction, incident, r.DecideReview, verdict=verdict, label=label, reason=reason, **signer)


@command.command()
@_PREDICTION
@_INCIDENT
@click.option("--to", required=True, metavar="NAME", help="Who reviews it: a key on this machine, or a principal.")
@_JSON
@signed()
@click.pass_obj
def assign(settings: Settings, /, prediction: str, incident: str, to: str, **signer: Any) -> None:
    """Give the review of PREDICTION to a person who may review.

    Example: headgate reviews assign p-1024 --to rio --as mia
    """
    _ask(settings, prediction, incident, r.AssignReview, to=principal_of(settings, to), **signer)


@command.command()
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Write the rows to FILE.parquet."
)
@click.option("--incident", default="", help="Only of this incident.")
@_JSON
@click.pass_obj
def export(settings: Settings, out: Path, incident: str, *, as_json: bool) -> None:
    """Export every decided review with its decision as it was kept, labelled, for retraining.

    The rows come decrypted from the evidence store of this machine; they may be personal data.

    Example: headgate reviews export --out reviewed.parquet
    """
    from streams.archive import reviewed
    from streams.archive.failure_tests import write_rows

    with OpenLedger(settings) as ledger:
        real = [case for case in ledger.state.cases.values() if not case.drill]
        cases = [resolve(ledger, incident)] if incident else real
    rows = reviewed.export(cases, _store(settings))
    write_rows(rows, out)
    if as_json:
        emit({"rows": rows.num_rows, "written": str(out)})
    else:
        click.echo(f"{rows.num_rows} reviewed decisions written to {out}")


def _store(settings: Settings) -> SealedStore:
    return evidence_store(settings, archive_key(settings.keys_directory))


def _reviews(cases: Iterable[Case]) -> list[tuple[Case, Review]]:
    return [(case, review) for case in cases for review in case.reviews.queued.values()]


def _find(ledger: OpenLedger, prediction: str, incident: str) -> tuple[Case, Review]:
    """Return the one review of a prediction; of several the one that waits, where it is the only one."""
    cases = [resolve(ledger, incident)] if incident else ledger.state.cases.values()
    found = [(case, review) for case, review in _reviews(cases) if review.prediction == prediction]
    waiting = [(case, review) for case, review in found if review.verdict is None]
    for some in (found, waiting):
        if len(some) == 1:
            return some[0]
    if not found:
        raise HeadgateError(f"{clean(prediction[:80])} is in no review; `headgate reviews --all` lists them")
    raise HeadgateError(f"{len(found)} incidents ask for {clean(prediction[:80])}; name one with --incident")


def _ask(
    settings: Settings,
    prediction: str,
    incident: str,
    kind: type,
    /,
    who: str,
    passphrase_file: Path | None,
    *,
    as_json: bool,
    **said: Any,
) -> None:
    identity = sign_in(settings, who, passphrase_file)
    with OpenLedger(settings) as ledger:
        case, _ = _find(ledger, prediction, incident)
        verdict = ledger.ask(identity, kind(incident=case.incident, prediction=prediction, **said))
    names = names_of(settings)
    text = "; ".join(named(sentence(event), names) for event in verdict.found.events)
    tell(verdict, text, as_json=as_json)

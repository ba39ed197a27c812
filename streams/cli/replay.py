"""`headgate incidents replay`: what another policy would have made of an incident, run now or attached as a file."""

import json
from pathlib import Path

import click

from agents.ledger.case import Case
from schemas import policy
from schemas.case.learning import AttachReplay
from schemas.documents import digest
from schemas.errors import HeadgateError, PolicyError
from schemas.policy import Policy
from streams.archive.evidence import evidence_store
from streams.ledger.genesis import read_document
from streams.ledger.keyring import archive_key
from streams.settings import Settings
from streams.view.asking import OpenLedger
from streams.view.incident_view import resolve
from streams.view.rendering import tell, when
from streams.view.signing_in import sign_in, signed

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_MAX_REPLAY = 16 << 20


@click.command()
@click.argument("incident")
@click.argument("file", type=_FILE, required=False)
@click.option("--policy", "judged", type=_FILE, required=True, help="The policy that history is judged under.")
@click.option("--says", default="", help="What it shows, in a sentence; of a replay that is run, found by itself.")
@click.option("--from", "start", default="0", show_default=True, help="First offset, or time (ISO 8601), of telemetry.")
@click.option("--to", "end", default="", help="Offset or time of the end; by default when the incident was over.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@signed()
@click.pass_obj
def replay(
    settings: Settings,
    /,
    incident: str,
    file: Path | None,
    judged: Path,
    who: str,
    passphrase_file: Path | None,
    *,
    as_json: bool,
    **said: str,
) -> None:
    r"""Judge the telemetry of INCIDENT's models again under another policy, and attach what comes of it.

    Both the incident's own policy and the other one judge it from the topic's beginning, as detection did, up to when
    the incident was over; the result says how much earlier or later it would have been found, and at which cost. With
    FILE, as `headgate backtest --json` prints it, nothing is run and that is attached. It is kept encrypted in the
    evidence store of this machine; the ledger names it by digest.

    \b
    Examples:
      headgate incidents replay 3f8a2c --policy stricter.toml --as ana
      headgate incidents replay 3f8a2c --policy stricter.toml --from 2026-01-31T06:00 --as ana
      headgate incidents replay 3f8a2c other.json --policy stricter.toml --says "found 4 minutes earlier" --as ana
    """
    identity = sign_in(settings, who, passphrase_file)
    says = said["says"]
    if file is not None and not says:
        raise click.UsageError("--says is missing: a result that is attached needs its sentence.")
    name, other = _policy(judged)
    given = _read(file) if file is not None else b""
    with OpenLedger(settings) as ledger:
        case = resolve(ledger, incident)
        if file is None:
            given, found = _run(settings, ledger, case, (name, other), (said["start"], said["end"]))
            says = says or found
        kept = evidence_store(settings, archive_key(settings.keys_directory)).put(given, case.incident)
        attached = AttachReplay(incident=case.incident, digest=kept, policy=name, sentence=says)
        verdict = ledger.ask(identity, attached)
    tell(verdict, says, as_json=as_json)


def _read(file: Path) -> bytes:
    with file.open("rb") as opened:
        data = opened.read(_MAX_REPLAY + 1)
    if len(data) > _MAX_REPLAY:
        raise HeadgateError(f"{file} has more than {_MAX_REPLAY} bytes")
    return data


def _policy(path: Path) -> tuple[str, Policy]:
    document = read_document(path)
    try:
        return digest(document), policy.read(document, str(path))
    except PolicyError as error:
        raise HeadgateError(str(error)) from None


def _run(
    settings: Settings, ledger: OpenLedger, case: Case, judged: tuple[str, Policy], span: tuple[str, str]
) -> tuple[bytes, str]:
    """Return the result of the replay as it is to be kept, and its sentence."""
    from streams.backtest import counterfactual
    from streams.backtest.topic import Stretch, read
    from streams.backtest.trial import Judged

    control = ledger.state.control
    end = span[1] or (when(case.course.over_at) if case.course.over_at else "")
    rules = (Judged(control.policies[case.policy], case.policy), Judged(judged[1], judged[0]))
    models = {affected.model for affected in case.affected}
    stretch = Stretch(span[0], end, model=next(iter(models)) if len(models) == 1 else None)
    found = counterfactual.replay(read(settings, stretch), case, rules, control.systems)
    if not found.rows:
        raise HeadgateError("the telemetry topic holds no prediction of the incident's models in that stretch")
    document = counterfactual.document(case, found, (span[0], end), when)
    data = json.dumps(document, ensure_ascii=False, sort_keys=True).encode()
    if len(data) > _MAX_REPLAY:
        raise HeadgateError(f"the result has more than {_MAX_REPLAY} bytes; a shorter stretch has less: --from, --to")
    return data, counterfactual.says(case, found)

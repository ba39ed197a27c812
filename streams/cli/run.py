"""`headgate run`: one or several roles in this process."""

from collections.abc import Callable

import click

from agents.ledger.fold import Trust
from schemas.errors import PolicyError
from streams.ledger.keyring import load, read_trust, trust_path
from streams.logs import configure
from streams.settings import Settings
from streams.stop import Stop
from streams.view.asking import require_ledger

FOLLOWERS = (
    "approval",
    "remediation",
    "recovery",
    "evidence",
    "output_audit",
    "lineage",
    "reviews",
    "clocks",
    "paging",
    "projector",
)
ALONE = ("intake", "archive", "probe", "detect", "triage", "registrar")


@click.command(name="run")
@click.argument("roles")
@click.option("--instance", help="A name that no other process of the role has: its restart goes on at once.")
@click.pass_obj
def command(settings: Settings, roles: str, instance: str | None) -> None:
    r"""Run ROLES, separated by commas, until interrupted.

    \b
    intake       single predictions to telemetry   alone in its process
    archive      telemetry to encrypted files      alone
    probe        asks models their canary probes   alone
    detect       telemetry to signals              alone
    triage       signals to incidents              alone
    registrar    decides and writes the ledger     alone; several stand by for each other
    approval     asks people to decide             together with other followers
    remediation  plans, and carries out what was authorised
    recovery     watches the survivors
    evidence     freezes the predictions that an incident rests on
    output_audit checks an incident's outputs against the declared rules
    lineage      asks the model registry where the affected versions come from
    reviews      has people look at single decisions of a running incident, and sends labels
    clocks       tells when a statutory clock has used 50, 80 and 100 % of its time
    paging       pages the people on call, and climbs the escalation where nobody answers
    projector    shows each incident as it stands

    \b
    Examples:
      headgate run detect --instance detect-1
      headgate run approval,recovery,evidence,projector
    """
    configure(settings)
    names = [name.strip() for name in roles.split(",") if name.strip()]
    unknown = [name for name in names if name not in FOLLOWERS + ALONE]
    if unknown or not names:
        raise PolicyError(
            f"{unknown[0] if unknown else 'nothing'} is no role; roles are {', '.join(ALONE + FOLLOWERS)}"
        )
    if len(names) > 1 and any(name in ALONE for name in names):
        raise PolicyError(f"{', '.join(ALONE)} each run alone in a process; start one `headgate run` for each")
    trust = read_trust(trust_path(settings))
    require_ledger(settings)
    if names[0] in ALONE:
        _ALONE[names[0]](settings, trust, instance)
    else:
        _follow(settings, trust, names)


def _detect(settings: Settings, trust: Trust, instance: str | None) -> None:
    from streams.roles import detection  # Faust and river are loaded by the roles that use them

    detection.run(settings, trust, instance)


def _intake(settings: Settings, _trust: Trust, instance: str | None) -> None:
    from streams.intake.intake import Intake

    Intake(settings, instance).run(Stop().install())


def _archive(settings: Settings, trust: Trust, instance: str | None) -> None:
    from streams.archive.archiver import Archiver
    from streams.ledger.thread import LedgerThread

    ledger = LedgerThread(settings, trust)
    ledger.start()
    Archiver(settings, lambda: ledger.control, instance, lambda: ledger.held).run(Stop().install())
    ledger.stop()


def _probe(settings: Settings, trust: Trust, _instance: str | None) -> None:
    from streams.ledger.thread import LedgerThread
    from streams.probes.prober import Prober

    ledger = LedgerThread(settings, trust)
    ledger.start()
    Prober(settings, lambda: ledger.control.systems).run(Stop().install())
    ledger.stop()


def _triage(settings: Settings, trust: Trust, instance: str | None) -> None:
    from streams.roles import triage

    triage.run(settings, trust, load(settings.keys_directory, "triage"), instance)


def _registrar(settings: Settings, trust: Trust, instance: str | None) -> None:
    from streams.ledger.registrar import Registrar

    keys = settings.keys_directory
    registrar = Registrar(settings, trust, load(keys, "registrar"), load(keys, "log"))
    registrar.run(Stop().install(), instance)


_ALONE: dict[str, Callable[[Settings, Trust, str | None], None]] = {
    "intake": _intake,
    "archive": _archive,
    "probe": _probe,
    "detect": _detect,
    "triage": _triage,
    "registrar": _registrar,
}


def _follow(settings: Settings, trust: Trust, names: list[str]) -> None:
    from streams.roles.followers import follower
    from streams.roles.loop import RoleLoop

    RoleLoop(settings, trust, [follower(settings, name) for name in names]).run(Stop().install())

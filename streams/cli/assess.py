"""`headgate incidents assess | modifier | severity | priority | reportability | matrix | release-hold`."""

from typing import Any

import click

from schemas.case import assessment as a
from schemas.case.hold import ReleaseHold
from schemas.values import Severity
from streams.settings import Settings
from streams.view.on_case import ask_on_case
from streams.view.rendering import emit, table
from streams.view.signing_in import signed

_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")
_INCIDENT = click.argument("incident")
_REASON = click.option("--reason", required=True, help="Why, for the ledger.")
_LEVELS = click.Choice([severity.value for severity in Severity])


@click.command()
@_JSON
def matrix(*, as_json: bool) -> None:
    """Print the severity matrix: what each level means in each dimension of harm.

    Example: headgate incidents matrix
    """
    if as_json:
        emit(a.MATRIX)
        return
    for dimension, levels in a.MATRIX.items():
        rows = [[level.value, meaning] for level, meaning in levels.items()]
        table((dimension.value, "means"), rows)
        click.echo()
    click.echo(f"each of {' and '.join(a.Modifier)} makes it one level worse")


@click.command()
@_INCIDENT
@click.argument("dimension", type=click.Choice([dimension.value for dimension in a.Dimension]))
@click.argument("level", type=_LEVELS)
@_REASON
@_JSON
@signed()
@click.pass_obj
def assess(settings: Settings, /, incident: str, dimension: str, level: str, reason: str, **signer: Any) -> None:
    """Judge the harm of INCIDENT in one DIMENSION; the worst over all, and over the rules, is its severity.

    `headgate incidents matrix` says what each LEVEL means. Only an ML manager or the commander lowers a level.

    Example: headgate incidents assess 3f8a2c rights sev2 --reason "loans of one group were refused" --as ana
    """
    ask_on_case(
        settings,
        incident,
        lambda case: a.AssessHarm(
            incident=case.incident, dimension=a.Dimension(dimension), level=Severity(level), reason=reason
        ),
        **signer,
    )


@click.command()
@_INCIDENT
@click.argument("name", type=click.Choice([modifier.value for modifier in a.Modifier]))
@click.option("--applies/--does-not-apply", default=True, help="Whether it applies (the default) or not.")
@_REASON
@_JSON
@signed()
@click.pass_obj
def modifier(settings: Settings, /, incident: str, name: str, reason: str, *, applies: bool, **signer: Any) -> None:
    """Say whether the modifier NAME applies to INCIDENT, which makes it one level worse.

    Example: headgate incidents modifier 3f8a2c irreversible --reason "the letters were sent" --as ana
    """
    ask_on_case(
        settings,
        incident,
        lambda case: a.SetModifier(incident=case.incident, modifier=a.Modifier(name), applies=applies, reason=reason),
        **signer,
    )


@click.command()
@_INCIDENT
@click.argument("level", type=_LEVELS)
@click.option("--evidence", required=True, help="What shows that it is so, for the ledger.")
@_JSON
@signed()
@click.pass_obj
def severity(settings: Settings, /, incident: str, level: str, evidence: str, **signer: Any) -> None:
    """Put your word on the severity of INCIDENT in place of the rules'; what was assessed still counts beside it.

    Whoever responds may raise it; only an ML manager or the commander lowers it.

    Example: headgate incidents severity 3f8a2c sev3 --evidence "shadow mode: nobody saw an answer" --as ana
    """
    ask_on_case(
        settings,
        incident,
        lambda case: a.SetSeverity(incident=case.incident, severity=Severity(level), evidence=evidence),
        **signer,
    )


@click.command()
@_INCIDENT
@click.argument("level", type=click.Choice([priority.value for priority in a.Priority]))
@_REASON
@_JSON
@signed()
@click.pass_obj
def priority(settings: Settings, /, incident: str, level: str, reason: str, **signer: Any) -> None:
    """Say how urgent INCIDENT is, whatever its severity.

    Example: headgate incidents priority 3f8a2c p1 --reason "the board meets at noon" --as ana
    """
    ask_on_case(
        settings,
        incident,
        lambda case: a.SetPriority(incident=case.incident, priority=a.Priority(level), reason=reason),
        **signer,
    )


@click.command()
@_INCIDENT
@click.argument("regime")
@click.argument("answer", type=click.Choice([answer.value for answer in a.Reportability]))
@_REASON
@_JSON
@signed()
@click.pass_obj
def reportability(settings: Settings, /, incident: str, regime: str, answer: str, reason: str, **signer: Any) -> None:
    """Decide, as compliance or legal, whether REGIME asks for a report on INCIDENT.

    Example: headgate incidents reportability 3f8a2c gdpr_33 not_reportable --reason "no personal data" --as cleo
    """
    ask_on_case(
        settings,
        incident,
        lambda case: a.SetReportability(
            incident=case.incident, regime=regime, answer=a.Reportability(answer), reason=reason
        ),
        **signer,
    )


@click.command(name="release-hold")
@_INCIDENT
@_REASON
@_JSON
@signed()
@click.pass_obj
def release_hold(settings: Settings, /, incident: str, reason: str, **signer: Any) -> None:
    """Agree that the evidence of INCIDENT need not be held any longer; two persons must, one of them legal.

    Example: headgate incidents release-hold 3f8a2c --reason "the authority has closed its file" --as lea
    """
    ask_on_case(settings, incident, lambda case: ReleaseHold(incident=case.incident, reason=reason), **signer)


COMMANDS: tuple[click.Command, ...] = (
    matrix,
    assess,
    modifier,
    severity,
    priority,
    reportability,
    release_hold,
)

"""`headgate report`: what is written for those who were not there; each subcommand has a module of its own."""

import click

from streams.cli import report_failures, report_incident, report_register, report_trend


@click.group(name="report")
def command() -> None:
    r"""Write reports from the ledger.

    \b
    Examples:
      headgate report incident 3f8a2c --form art73 --format pdf --out art73.pdf
      headgate report trend --quarter 2026Q4 --md
      headgate report risk-register --csv > risks.csv
      headgate report failures --tests validation/
    """


command.add_command(report_trend.command)
command.add_command(report_register.command)
command.add_command(report_failures.command)
command.add_command(report_incident.command)
command.add_command(report_incident.forms)

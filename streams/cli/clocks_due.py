"""`headgate clocks due`: the clocks of all incidents that are due next."""

import click

from agents.ledger.case import Phase
from schemas.spans import span as length
from streams.clock import now_ms
from streams.settings import Settings
from streams.view.asking import OpenLedger
from streams.view.counting import span, used
from streams.view.incident_view import short
from streams.view.rendering import emit, table, when


class Span(click.ParamType):
    """A length of time such as 72h, in milliseconds."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the milliseconds; a usage error where the text is no length of time."""
        try:
            return round(length(str(value).strip()).total_seconds() * 1000)
        except ValueError as error:
            self.fail(str(error), param, ctx)


SPAN = Span()


@click.command()
@click.option("--within", type=SPAN, default="72h", show_default=True, help="How far ahead to look.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def due(settings: Settings, within: int, *, as_json: bool) -> None:
    """List the running clocks of all incidents that are due within a time, or overdue; the next due first.

    Example: headgate clocks due --within 72h
    """
    now = now_ms()
    with OpenLedger(settings) as ledger:
        found = [
            (one.due, short(ledger, case.incident), case, one)
            for case in ledger.state.cases.values()
            if case.phase is not Phase.CLOSED
            for one in case.clocks.running
            if one.due <= now + within
        ]
    found.sort(key=lambda each: (each[0], each[2].incident, each[3].number))
    if as_json:
        emit(
            [
                {
                    "incident": case.incident,
                    "drill": case.drill,
                    "clock": one.clock,
                    "due": at,
                    "left_ms": at - now,
                    "used_percent": used(one, now),
                }
                for at, _, case, one in found
            ]
        )
        return
    rows = [
        [name, one.clock, when(at), span(at - now), f"{used(one, now)} %", "DRILL: file nothing" if case.drill else ""]
        for at, name, case, one in found
    ]
    table(("incident", "clock", "due", "left", "used", ""), rows, "no clock is due in this time")

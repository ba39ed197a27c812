"""Statutory clocks in sentences."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from schemas.case import clocks as c
from schemas.case import contracts as k

_WHOLE = 100


def _when(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M:%SZ}"


def _fact(event: c.FactRecorded) -> str:
    at = f", at {_when(event.happened_at)}" if event.happened_at else ""
    return f"{event.principal} says, {event.fact}: {event.known.value}{at}: {event.basis}"


def _started(event: c.ClockStarted) -> str:
    stands = " (unknown: the earliest awareness stands in)" if event.assumed else ""
    due = "at once" if event.strict_due == event.trigger_at else _when(event.strict_due)
    return f"clock {event.clock} runs from {event.trigger}{stands}, {_when(event.trigger_at)}; due {due}"


def _share(event: c.ClockShareReached) -> str:
    if event.share == _WHOLE:
        return f"clock {event.clock} is due: {_when(event.due)}"
    return f"{event.share} % of the time of clock {event.clock} are used; due {_when(event.due)}"


def _submitted(event: c.ReportSubmitted) -> str:
    late = ", late" if event.late else ""
    persons = " and ".join(event.principals)
    return f"{event.clock} was submitted on {_when(event.submitted_at)}{late}, says {persons}: receipt {event.receipt}"


def _tolled(event: c.ClockTolled) -> str:
    said = f"{event.authority} asked for it, says {event.principal}: {event.reason}"
    return f"clock {event.clock} is held until {_when(event.until)}: {said}"


def _owes(event: k.VendorOwes) -> str:
    times = ", ".join(f"{one.name} within {one.hours:g} h" for one in event.slas)
    owed = "; ".join((times, *event.evidence) if times else event.evidence)
    return f"{event.vendor} owes for {event.system} by contract: {owed}"


def _delivered(event: k.VendorDelivered) -> str:
    late = ", late" if event.late else ""
    did = "met" if event.number else "handed over"
    return (
        f"the vendor of {event.system} {did} {event.what} at {_when(event.happened_at)}{late}, "
        f"says {event.principal}: {event.basis}"
    )


SAY: dict[type, Callable[[Any], str]] = {
    c.CaseRegulated: lambda x: f"{x.regime} speaks of the case, says {x.by}: {x.reason}",
    c.FactRecorded: _fact,
    c.ClockStarted: _started,
    c.ClockMoved: lambda x: f"clock {x.clock} is due {_when(x.strict_due)}, not {_when(x.was)}: {x.why}",
    c.ClockSuperseded: lambda x: f"clock {x.clock} gives way to {x.by}: {x.why}",
    c.ReportProposed: lambda x: (
        f"{x.principal} says that {x.clock} was submitted, receipt {x.receipt}; another confirms"
    ),
    c.ReportSubmitted: _submitted,
    c.ClockNotApplicable: lambda x: f"{x.clock} is not applicable, decides {x.principal}: {x.reason}",
    c.ClockReopened: lambda x: f"{x.principal} reopens {x.clock}: {x.reason}",
    c.ClockTolled: _tolled,
    c.ClockShareReached: _share,
    k.VendorOwes: _owes,
    k.VendorDelivered: _delivered,
}

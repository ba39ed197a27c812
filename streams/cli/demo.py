"""`headgate demo`: break a model on purpose, and watch what follows."""

import json
import signal
from types import FrameType

import click

from schemas.errors import HeadgateError
from streams.demo.faults import Fault
from streams.settings import Settings


@click.command(name="demo")
@click.option("--fault", type=click.Choice([fault.value for fault in Fault]), default="units", show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Chooses training sample and requests.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON at the end, and nothing else.")
@click.pass_obj
def command(settings: Settings, fault: str, seed: int, *, as_json: bool) -> None:
    r"""Serve two versions of a real model, break version 2, and show what Headgate does about it.

    Everything is real and on this machine: Kafka, Envoy, an MLflow registry, model servers, their traffic. The
    demonstration itself only sends requests, breaks version 2's feature pipeline, and signs two approvals.

    \b
    Faults:
      none     nothing breaks, and nothing must be found
      units    one sensor arrives in other units
      stuck    one sensor stays at one value
      swapped  two sensors are exchanged
      latency  version 2 answers slowly

    It leaves var/demo/summary.json, the exported ledger in var/demo/ledger, the incident's evidence package with its
    reports in var/demo/evidence, and the logs in var/demo/log.
    Exit status 0: the story ended as it should.
    """
    from rich.console import Console

    from streams.demo.outcome import shortfalls
    from streams.demo.stage import Stage
    from streams.demo.story import Story, fresh
    from streams.demo.timeline import Timeline
    from streams.local.stack import Stack

    signal.signal(signal.SIGTERM, _interrupt)
    own = fresh(settings)
    timeline = Timeline(Console(stderr=as_json, highlight=False, soft_wrap=True))
    try:
        with Stack(own, report=timeline.say) as stack, Stage(own, own.var / "stage", seed) as stage:
            document = Story(own, stack, stage, timeline).run(Fault(fault))
    except KeyboardInterrupt:
        raise HeadgateError(f"interrupted; the logs are in {own.var / 'log'}") from None
    missed = shortfalls(document, Fault(fault))
    if as_json:
        click.echo(json.dumps(document, indent=2))
    else:
        timeline.end(document, own.var)
    if missed:
        raise HeadgateError("the demonstration did not end as it should: " + "; ".join(missed))


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt

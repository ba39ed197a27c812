"""`headgate up`: everything on this machine, until interrupted."""

import signal
import time
from types import FrameType

import click

from streams.demo.stage import Stage
from streams.demo.timeline import Timeline
from streams.local.stack import Stack
from streams.settings import Settings


@click.command(name="up")
@click.option("--seed", type=int, default=1, show_default=True, help="Chooses training sample and requests.")
@click.option("--bare", is_flag=True, help="Only Kafka, the ledger and the roles: no demonstration model.")
@click.pass_obj
def command(settings: Settings, seed: int, *, bare: bool) -> None:
    r"""Start Kafka, the ledger and every role, and the demonstration's model with its traffic; Ctrl-C stops them.

    While it runs, every other command works on it from the same directory:

    \b
      headgate incidents               what is open
      echo units > var/stage/fault     break version 2 (none, units, stuck, swapped, latency)
      headgate keys new ana            make a key, and enrol it:
      headgate keys enrol var/keys/ana.pub --role ml_manager
      headgate approve INCIDENT --as ana
    """
    signal.signal(signal.SIGTERM, _interrupt)
    timeline = Timeline()
    try:
        with Stack(settings, report=timeline.say) as stack, Stage(settings, settings.var / "stage", seed) as stage:
            stack.start_broker()
            timeline.say(f"Kafka runs on {settings.brokers}")
            trust = stack.begin_ledger()
            if not bare:
                stage.train()
                stage.serve()
                assert stage.gateway is not None
                stack.environ = {"HEADGATE_ENVOY_ADMIN": stage.gateway.admin, "HEADGATE_MLFLOW_URI": stage.registry}
                timeline.say(f"model servers behind Envoy on {stage.gateway.url}")
            stack.start_roles()
            stack.adopt(trust)
            if not bare:
                stage.start_traffic()
            timeline.say("everything runs; Ctrl-C stops it")
            while True:
                stack.keep()
                time.sleep(0.5)
    except KeyboardInterrupt:
        timeline.say("stopped; the data is kept")


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt

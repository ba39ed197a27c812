"""`headgate broker`: Kafka in the foreground, on this machine, for trying things out and for the demonstration."""

import json
import signal
import time
from types import FrameType

import click

from schemas.errors import BrokerError
from streams.local.broker import Broker
from streams.settings import Settings


@click.command(name="broker")
@click.option("--port", type=click.IntRange(1, 65535), help="Port for clients. Default: the last one, or a free one.")
@click.option("--json", "as_json", is_flag=True, help="Say where it listens as one line of JSON.")
@click.pass_obj
def command(settings: Settings, port: int | None, *, as_json: bool) -> None:
    r"""Run Apache Kafka on this machine until interrupted.

    One node in KRaft mode, on 127.0.0.1 only and without authentication, started from Python packages: nothing else
    needs to be installed. The first start fetches Kafka's jars and checks each against its pinned SHA-256.

    Data stays in var/broker (HEADGATE_VAR moves it) and is used again by the next start. While it runs, every other
    headgate command finds it there; other programs connect to the address that is printed. Kafka's own log is
    var/broker/broker.log. To use a Kafka of your own instead, set HEADGATE_BOOTSTRAP_SERVERS.

    \b
    Examples:
      headgate broker                 any free port
      headgate broker --port 9092     where tools expect it
      headgate broker --json          {"bootstrap_servers": "127.0.0.1:…", …}
    """
    signal.signal(signal.SIGTERM, _interrupt)
    broker = Broker(settings.broker_directory, port, settings.cache, lambda line: click.echo(line, err=True))
    try:
        with broker:
            click.echo(_sentence(broker, as_json=as_json))
            while broker.alive():
                time.sleep(0.2)
            raise BrokerError(f"Kafka ended on its own (its log is {broker.log}): {broker.tail()}")
    except KeyboardInterrupt:
        click.echo("the broker has stopped; its data is kept", err=True)


def _sentence(broker: Broker, *, as_json: bool) -> str:
    if as_json:
        fields = {"bootstrap_servers": broker.bootstrap, "pid": broker.pid, "directory": str(broker.directory)}
        return json.dumps(fields)
    return f"Kafka listens on {broker.bootstrap}, data in {broker.directory}; Ctrl-C stops it"


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt

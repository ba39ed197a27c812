"""`headgate topics`: the topics that Headgate declares, and whether Kafka has them so."""

import click

from schemas.errors import BrokerError
from schemas.topics import TOPICS, full_name
from streams.kafka import Clients
from streams.settings import Settings
from streams.topic_admin import TopicAdmin
from streams.view.asking import topics_of
from streams.view.rendering import emit, table


@click.group(name="topics")
def command() -> None:
    r"""List, create and check the topics of the ledger that HEADGATE_LEDGER names.

    \b
    Examples:
      headgate topics apply            create what is missing, set what differs
      headgate topics check            exit 1 with a line for each difference
    """


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def listing(settings: Settings, *, as_json: bool) -> None:
    """Print what is declared: name, key, partitions, retention, writers and records."""
    rows = [
        {
            "topic": full_name(settings.ledger, topic.name),
            "key": topic.key,
            "partitions": topic.partitions or settings.partitions,
            "kept": "compacted" if topic.compacted else _days(topic.retention_ms),
            "written_by": list(topic.writers),
            "records": [record.__name__ for record in topic.records],
        }
        for topic in TOPICS
    ]
    if as_json:
        emit(rows)
        return
    cells = [[str(item) if not isinstance(item, list) else ", ".join(item) for item in row.values()] for row in rows]
    table(("topic", "key", "partitions", "kept", "written by", "records"), cells)


@command.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def apply(settings: Settings, *, as_json: bool) -> None:
    """Create the topics that are missing, and set what differs from the declaration.

    Example: HEADGATE_REPLICATION=3 headgate topics apply
    """
    done = _admin(settings).apply()
    if as_json:
        emit({"done": done})
        return
    for line in done or [f"all {len(TOPICS)} topics are as declared"]:
        click.echo(line)


@command.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def check(settings: Settings, *, as_json: bool) -> None:
    """Exit 1 with a line for each difference between Kafka and the declaration.

    Example: headgate topics check || headgate topics apply
    """
    found = _admin(settings).check()
    if as_json:
        emit({"differences": found})
    elif not found:
        click.echo(f"all {len(TOPICS)} topics are as declared")
    else:
        for line in found:
            click.echo(line)
    if found:
        raise BrokerError(
            f"{len(found)} differences from the declaration; `headgate topics apply` sets what can be set"
        )


def _admin(settings: Settings) -> TopicAdmin:
    topics_of(settings)  # a Kafka that does not answer is told in seconds
    return TopicAdmin(Clients(settings).admin(), settings)


def _days(retention_ms: int) -> str:
    return "for ever" if retention_ms < 0 else f"{retention_ms // 86_400_000} days"

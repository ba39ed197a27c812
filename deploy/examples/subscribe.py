# ruff: noqa: INP001, T201 - a script that stands alone and prints
"""Follow a ledger's incidents with nothing of Headgate's: confluent-kafka, fastavro and the schema files.

`incidents` says what was detected, `status` what stands; both carry the incident's id and a sequence. One JSON line a
record goes to standard output. The values are Avro in Confluent's wire format: 0x00, four bytes of schema id, the body.

    pip install confluent-kafka fastavro
    python subscribe.py --bootstrap-servers localhost:9092 --schemas schemas/avro
"""

import argparse
import io
import json
import signal
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastavro
from confluent_kafka import Consumer, Message

RECORDS = {
    "incidents": ("IncidentOpened", "IncidentGrew", "IncidentQuieted"),
    "status": ("IncidentStatus",),
}


def read_schemas(folder: Path) -> dict[str, dict[int, tuple[str, Any]]]:
    """Return, for each topic, the record name and the schema of each id that may stand on it."""
    pinned = tomllib.loads((folder / "ids.toml").read_text("utf-8"))
    found: dict[str, dict[int, tuple[str, Any]]] = {}
    for topic, names in RECORDS.items():
        found[topic] = {}
        for name in names:
            for version, number in pinned[name].items():
                schema = json.loads((folder / f"{name}.{version}.avsc").read_text("utf-8"))
                found[topic][number] = (name, fastavro.parse_schema(schema))
    return found


def decode(value: bytes | None, schemas: dict[int, tuple[str, Any]]) -> dict[str, Any]:
    """Return a record and its name; ValueError where the bytes are none of this topic's records."""
    if value is None or len(value) < 5 or value[0] != 0:
        raise ValueError("not in Confluent's wire format")
    if (number := int.from_bytes(value[1:5], "big")) not in schemas:
        raise ValueError(f"schema id {number} is not of this topic")
    name, schema = schemas[number]
    body = io.BytesIO(value[5:])
    try:
        record = fastavro.schemaless_reader(body, schema, None)
    except (EOFError, IndexError, ValueError, OverflowError, MemoryError) as error:
        raise ValueError(f"not a {name}: {error}") from None
    if not isinstance(record, dict) or body.read(1):
        raise ValueError(f"bytes are left after the {name}")
    return {"record": name, **record}


def follow(consumer: Consumer) -> Iterator[Message]:
    """Yield records as they come, for ever."""
    while True:
        message = consumer.poll(1.0)
        if message is None:
            continue
        if (error := message.error()) is not None:
            print(f"Kafka says: {error.str()}", file=sys.stderr)
            continue
        yield message


def main() -> None:
    """Print what is detected and what stands, until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bootstrap-servers", default="localhost:9092", help="where Kafka is")
    parser.add_argument("--ledger", default="headgate", help="prefix of the topics")
    parser.add_argument("--schemas", type=Path, default=Path(__file__).parents[2] / "schemas" / "avro")
    parser.add_argument("--group", default="headgate-subscriber", help="consumer group: it goes on where it stopped")
    given = parser.parse_args()
    schemas = {f"{given.ledger}.{topic}.v1": known for topic, known in read_schemas(given.schemas).items()}
    consumer = Consumer(
        {
            "bootstrap.servers": given.bootstrap_servers,
            "group.id": given.group,
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe(list(schemas))
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as a container is stopped
    try:
        for message in follow(consumer):
            topic = message.topic()
            if topic is None:
                continue
            try:
                said = decode(message.value(), schemas[topic])
            except ValueError as error:  # on an open broker anybody can write anything
                print(f"{topic} offset {message.offset()} is passed over: {error}", file=sys.stderr)
                continue
            print(json.dumps({"topic": topic, **said}, default=str), flush=True)
    except KeyboardInterrupt:
        pass
    finally:
        consumer.close()


if __name__ == "__main__":
    main()

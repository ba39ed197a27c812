"""Bytes that no honest writer sends, for any topic, and a header that no client's API offers."""

import random
import struct
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.record.util import calc_crc32c

from schemas.catalogue import CATALOGUE
from schemas.codec import frame
from schemas.signals import SignalCleared
from schemas.state import Manifest
from schemas.topics import BY_NAME
from schemas.values import Position
from streams.kafka import Clients

_MEGABYTE = 1_000_000
_LONGEST = b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"  # the length 2⁶³ − 1 as Avro writes it
_MANY = b"\x80\x80\x80\x80\x10"  # an array of 2³¹ items


def hostile(topic: str) -> dict[str, bytes | None]:
    """Return hostile values for a topic, each under the name of what is wrong with it."""
    dice, records = random.Random(topic), BY_NAME[topic].records
    head = CATALOGUE.prefix(records[0]) if records else b"\0\0\0\0\1"
    return {
        "random": dice.randbytes(300),
        "truncated": head + b"\x06sh",
        "nothing after the id": head,
        "unknown schema id": b"\0\x7f\xff\xff\xff" + dice.randbytes(50),
        "another topic's record": frame(_stranger(topic)),
        "a megabyte of zeros": bytes(_MEGABYTE),
        "a megabyte of zeros after a good id": head + bytes(_MEGABYTE),
        "a string of 2⁶³ bytes": head + _LONGEST,
        "arrays of 2³¹ items": head + _MANY * 12,
        "deep": head + b"\x02" * 100_000,
        "not Unicode": head + b"\x08\xff\xfe\xfd\xfc" * 20,
        "empty": b"",
        "null": None,
    }


def _stranger(topic: str) -> object:
    if topic == "state":
        here = Position(topic_id="t", partition=0, offset=1)
        return SignalCleared(id="i", signal="s", at=0, model="m", version="1", source=here)
    return Manifest(epoch=1, topic_id="t", partition=0, complete_through=1, mac=b"")


async def send_bad_header(clients: Clients, topic: str, partition: int, key: bytes) -> int:
    """Send a record with a header whose name is not UTF-8, which no broker checks; return its offset."""
    producer = AIOKafkaProducer(**clients.aiokafka())
    await producer.start()
    batch: Any = producer.create_batch()
    batch.append(key=key, value=b"poison", timestamp=None, headers=[("AAAA", b"x")])
    batch.close()
    data = bytearray(batch._build())
    at = data.index(b"AAAA")
    data[at : at + 4] = b"\xff\xfe\xfd\xfc"
    data[17:21] = struct.pack(">I", calc_crc32c(bytes(data[21:])))
    batch._buffer = bytes(data)
    told = await (await producer.send_batch(batch, topic, partition=partition))
    await producer.stop()
    return int(told.offset)

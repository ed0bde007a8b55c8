"""Messages a second of one core: HL7 v2 to canonical bytes and leaf, beside two parsers alone.

Run: `python tests/bench/convert.py [SECONDS]`. Time is that of the processor, and every message is
one that was not seen before: a converter that remembers what comes again must not remember these.
"""

import gc
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TextIO

import hl7
from hl7apy.parser import parse_message

from adapters.hl7v2.dialect import Hl7v2
from bridge.core.ids import Instant
from bridge.flows.receive import SHARE, Inbound, prepare
from tests.bench.feed import adt, mdm, oru, oru_large, siu, vxu

__all__ = ["main"]

AT = Instant(datetime(2024, 1, 1, 12, tzinfo=UTC))
RANDOM = bytes(SHARE)
KINDS = {
    "ADT^A01": adt,
    "ORU^R01, 16 segments": oru,
    "ORU^R01, 10 kB": oru_large,
    "VXU^V04": vxu,
    "SIU^S12": siu,
    "MDM^T02, 1 MB document": mdm,
}


def main(seconds: float, out: TextIO) -> None:
    """Print a line a kind of message."""
    began = time.process_time()
    dialect = Hl7v2()
    out.write(f"all maps compiled in {time.process_time() - began:.2f} s\n")
    gc.freeze()  # as the workers do: what was compiled is never garbage
    works: dict[str, Callable[[bytes], object]] = {
        "canonical": lambda raw: dialect.convert(raw, sender=""),
        "with leaf": lambda raw: _offer(raw, dialect),
        "python-hl7": lambda raw: hl7.parse(raw.decode()),
        "hl7apy": lambda raw: parse_message(raw.decode(), find_groups=False),
    }
    out.write(f"{'messages a second':24}{'bytes':>9}{''.join(f'{n:>12}' for n in works)}\n")
    for kind, make in KINDS.items():
        rates = [_rate(work, make, seconds) for work in works.values()]
        out.write(f"{kind:24}{len(make(0)):9}{''.join(f'{rate:12.0f}' for rate in rates)}\n")
    out.write(f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors\n")


def _offer(raw: bytes, dialect: Hl7v2) -> object:
    """Conversion, claims, leaf and answer: all of an input but its storing."""
    inbound = Inbound(raw=raw, feed="bench", number=1)
    return prepare(inbound, dialect=dialect, at=AT, random=RANDOM)


def _rate(work: Callable[[bytes], object], make: Callable[[int], bytes], seconds: float) -> float:
    """The best of groups of messages, a second of processor time: neighbours count less."""
    size = max(1, min(100, 400_000 // len(make(0))))
    best, spent, number = 0.0, 0.0, 0
    while spent < seconds:
        raws = [make(at) for at in range(number, number + size)]
        number += size
        start = time.process_time()
        for raw in raws:
            work(raw)
        took = time.process_time() - start
        best, spent = max(best, size / took), spent + took
    return best


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 2.0, sys.stdout)

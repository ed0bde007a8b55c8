"""What conversions share, and what they must not."""

import gc
import json
from collections.abc import Callable

from adapters.hl7v2.dialect import Hl7v2

LIVES = "PID|1||MRN{n}^^^STMARY^MR||Doe^Jan||1962|M|||1 Main St^^Springfield^IL|{county}\r"


def test_county_of_one_patient_does_not_reach_another_of_the_same_address(
    dialect: Hl7v2, message: Callable[..., bytes]
) -> None:
    """A row that completes an element completes a copy of it."""
    plain = message("ADT^A08", patient=LIVES.format(n=2, county=""))
    before = dialect.convert(plain, sender="").canonical

    dialect.convert(message("ADT^A08", patient=LIVES.format(n=1, county="Sangamon")), sender="")

    assert dialect.convert(plain, sender="").canonical == before


def test_conversion_leaves_no_cycle(dialect: Hl7v2, message: Callable[..., bytes]) -> None:
    """The collector finds nothing: memory of a message goes when the message goes."""
    raw = message("ORU^R01", "OBR|1|P1|F1|1^A^L", "OBX|1|NM|2^B^L||1", "OBX|2|NM|3^C^L||1")
    dialect.convert(raw, sender="")
    gc.collect()

    dialect.convert(raw, sender="")

    assert gc.collect() == 0


def test_orders_are_told_apart_by_code_only_where_they_share_a_number(
    dialect: Hl7v2, message: Callable[..., bytes]
) -> None:
    """One number is one order; under a requisition's number each test is one."""

    def orders(*segments: str) -> list[str]:
        bundle = json.loads(dialect.convert(message("ORM^O01", *segments), sender="").canonical)
        made = [entry["resource"] for entry in bundle["entry"]]
        return [one["id"] for one in made if one["resourceType"] == "ServiceRequest"]

    first, second = ("ORC|NW|P1", "OBR|1|P1||A"), ("ORC|NW|P1", "OBR|2|P1||B")

    assert orders(*first) == orders(*second) == orders("ORC|CA|P1")
    assert orders(*first, *second) == orders(*second, *first)[::-1]
    assert len(set(orders(*first, *second))) == 2

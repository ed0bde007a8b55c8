"""Messages a second of one core: HL7 v2 to canonical bytes, beside two parsers alone.

Run: `python tests/bench/convert.py [SECONDS]`. Every message of a run has another patient, visit,
order number and values, as in a feed; doctors, wards and codes come again.
"""

import sys
import time
from collections.abc import Callable
from typing import TextIO

import hl7
from hl7apy.parser import parse_message

from adapters.hl7v2.dialect import Hl7v2

__all__ = ["adt", "main", "oru"]

MSH = "MSH|^~\\&|{app}|STMARY|HUB|HUB|20240101120000+0100||{kind}|C{n}|P|2.5.1||||||UNICODE UTF-8\r"
PID = (
    "PID|1||{n}^^^STMARY^MR||Everyman{n}^Adam^A^III^^^L||19620114|M|||{n} Main St^Apt 4B^"
    "Springfield^IL^62701^USA^H||^PRN^PH^^1^217^{n}|||M^Married^HL70002||ACC{n}^^^STMARY^AN\r"
)
DOCTOR = "123456789{d}^Attend^Alan^^^Dr^MD^^NPI^L"
TESTS = (
    ("2345-7", "Glucose", "mg/dL"), ("3094-0", "BUN", "mg/dL"), ("2160-0", "Creatinine", "mg/dL"),
    ("2951-2", "Sodium", "mmol/L"), ("2823-3", "Potassium", "mmol/L"),
    ("2075-0", "Chloride", "mmol/L"), ("2028-9", "CO2", "mmol/L"),
)  # fmt: skip


def adt(number: int) -> bytes:
    """An ADT^A01 of about 1.3 kB."""
    n, doctor = 5_000_000 + number, DOCTOR.format(d=number % 10)
    text = MSH.format(app="ADT", kind="ADT^A01^ADT_A01", n=n) + PID.format(n=n) + (
        "EVN|A01|20240101115900+0100|||JD01^Doe^Jane^^^^^^STMARY\r"
        "NK1|1|Everywoman^Eve^B^^^^L|SPO^Spouse^HL70063|1 Main St^^Springfield^IL^62701^USA\r"
        f"PV1|1|I|4WEST^401^A^STMARY^^N^MAIN|E|||{doctor}|{doctor}||MED||||7|||{doctor}|INP|"
        f"V{n}^^^STMARY^VN{'|' * 25}20240101113000\r"
        "PV2||PRI|R07.9^Chest pain^I10|||||20240101|20240105\r"
        "AL1|1|DA^Drug^HL70127|70618^Penicillin^RXNORM|SV|Hives~Rash|20100101\r"
        "DG1|1||I21.9^Acute myocardial infarction^I10||20240101113000+0100|A\r"
        f"IN1|1|PPO1^Preferred^L|INS001|Acme Insurance||||GRP55|||||20230101{'|' * 24}P{n}\r"
    )  # fmt: skip
    return text.encode()


def oru(number: int) -> bytes:
    """An ORU^R01 of about 1.3 kB with seven numeric results."""
    n, doctor = 5_000_000 + number, DOCTOR.format(d=number % 10)
    text = MSH.format(app="LAB", kind="ORU^R01^ORU_R01", n=n) + PID.format(n=n)
    text += f"PV1|1|I|4WEST^401^A^STMARY||||{doctor}{'|' * 12}V{n}^^^STMARY^VN\r"
    text += f"ORC|RE|P{n}^EPIC|F{n}^LAB||CM||||20240102070000+0100|||{doctor}\r"
    text += f"OBR|1|P{n}^EPIC|F{n}^LAB|24323-8^CMP^LN|||20240102063000+0100{'|' * 9}{doctor}"
    text += "||||||20240102075500+0100||CH|F\r"
    for index, (code, name, unit) in enumerate(TESTS, 1):
        value = f"{(number * 7 + index) % 400}.{number % 10}"
        text += f"OBX|{index}|NM|{code}^{name}^LN||{value}|{unit}^{unit}^UCUM|1-99|N|||F"
        text += "|||20240102063000+0100||TECH01^Tech^Tina\r"
    return text.encode()


def main(seconds: float, out: TextIO) -> None:
    """Print a line a kind of message."""
    dialect = Hl7v2()
    for kind, make in (("ADT^A01", adt), ("ORU^R01", oru)):
        raws = [make(number) for number in range(2000)]
        rates = {
            "fhir-anchor, to canonical FHIR": _rate(
                lambda raw: dialect.convert(raw, sender=""), raws, seconds
            ),
            "python-hl7, parse alone": _rate(lambda raw: hl7.parse(raw.decode()), raws, seconds),
            "hl7apy, parse alone": _rate(
                lambda raw: parse_message(raw.decode(), find_groups=False), raws, seconds
            ),
        }
        out.writelines(
            f"{kind} {len(raws[0])} bytes  {name:32} {rate:8.0f} msg/s\n"
            for name, rate in rates.items()
        )


def _rate(work: Callable[[bytes], object], raws: list[bytes], seconds: float) -> float:
    """Messages a second of processor time: neighbours on the machine count less."""
    for raw in raws[:20]:
        work(raw)
    done, start = 0, time.process_time()
    while time.process_time() - start < seconds:
        for raw in raws[done % len(raws) :][:50]:
            work(raw)
            done += 1
    return done / (time.process_time() - start)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 3.0, sys.stdout)

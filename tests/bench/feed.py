"""Messages as a feed sends them: other patients, visits, orders and values each time.

Doctors, wards, tests and units come again. Sizes are those of the messages that interface engines
of hospitals show: an admission of 1.5 kB, a panel of 16 segments, a report of 10 kB.
"""

from base64 import b64encode

__all__ = ["adt", "mdm", "oru", "oru_large", "siu", "vxu"]

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
    ("17861-6", "Calcium", "mg/dL"), ("1742-6", "ALT", "U/L"), ("1920-8", "AST", "U/L"),
    ("6768-6", "Alkaline phosphatase", "U/L"),
)  # fmt: skip
PDF = b64encode(bytes(range(256)) * 3072).decode()
"""A document of 786,432 bytes, 1 MB in base64."""


def adt(number: int) -> bytes:
    """An ADT^A01 of 1.5 kB."""
    n, doctor = 5_000_000 + number, DOCTOR.format(d=number % 10)
    text = MSH.format(app="ADT", kind="ADT^A01^ADT_A01", n=n) + (
        "EVN|A01|20240101115900+0100|||JD01^Doe^Jane^^^^^^STMARY\r"
        + PID.format(n=n) +
        "PD1|||STMARY CLINIC^^9001|1234567899^Family^Fay^^^Dr^MD^^NPI^L\r"
        f"NK1|1|Everywoman{n}^Eve^B^^^^L|SPO^Spouse^HL70063|{n} Main St^^Springfield^IL^62701^USA|"
        f"^PRN^PH^^1^217^{n}||C^Emergency contact^HL70131\r"
        f"PV1|1|I|4WEST^401^A^STMARY^^N^MAIN|E|||{doctor}|{doctor}||MED||||7|||{doctor}|INP|"
        f"V{n}^^^STMARY^VN{'|' * 25}20240101113000\r"
        "PV2||PRI|R07.9^Chest pain^I10|||||20240101|20240105\r"
        "AL1|1|DA^Drug^HL70127|70618^Penicillin^RXNORM|SV|Hives~Rash|20100101\r"
        "AL1|2|FA^Food^HL70127|256349002^Peanut^SCT|MO|Rash|20120601\r"
        "DG1|1||I21.9^Acute myocardial infarction^I10||20240101113000+0100|A\r"
        "DG1|2||I10^Essential hypertension^I10||20240101113000+0100|A\r"
        "DG1|3||E11.9^Type 2 diabetes mellitus^I10||20240101113000+0100|A\r"
        f"GT1|1||Everyman{n}^Adam^A||{n} Main St^^Springfield^IL^62701|^PRN^PH^^1^217^{n}||||P\r"
        f"IN1|1|PPO1^Preferred^L|INS001|Acme Insurance||||GRP55|||||20230101{'|' * 23}|POL{n}\r"
    )  # fmt: skip
    return text.encode()


def _ordered(n: int, doctor: str, code: str) -> str:
    """Header, patient, visit and order of a result."""
    return (
        MSH.format(app="LAB", kind="ORU^R01^ORU_R01", n=n) + PID.format(n=n)
        + f"PV1|1|I|4WEST^401^A^STMARY||||{doctor}{'|' * 12}V{n}^^^STMARY^VN\r"
        + f"ORC|RE|P{n}^EPIC|F{n}^LAB||CM||||20240102070000+0100|||{doctor}\r"
        + f"OBR|1|P{n}^EPIC|F{n}^LAB|{code}|||20240102063000+0100{'|' * 9}{doctor}"
        + "||||||20240102075500+0100||CH|F\r"
    )  # fmt: skip


def oru(number: int) -> bytes:
    """An ORU^R01 of 16 segments, eleven of them numeric results."""
    n, doctor = 5_000_000 + number, DOCTOR.format(d=number % 10)
    text = _ordered(n, doctor, "24323-8^CMP^LN")
    for index, (code, name, unit) in enumerate(TESTS, 1):
        value = f"{(number * 7 + index) % 400}.{number % 10}"
        text += f"OBX|{index}|NM|{code}^{name}^LN||{value}|{unit}^{unit}^UCUM|1-99|N|||F"
        text += "|||20240102063000+0100\r"
    return text.encode()


def oru_large(number: int) -> bytes:
    """An ORU^R01 of 10 kB: 48 results with local code, method, time and laboratory."""
    n, doctor = 5_000_000 + number, DOCTOR.format(d=number % 10)
    text = _ordered(n, doctor, "58410-2^CBC panel^LN")
    for index in range(1, 49):
        code, name, unit = TESTS[index % len(TESTS)]
        value = f"{(number * 7 + index) % 400}.{number % 10}"
        text += (
            f"OBX|{index}|NM|{code[:-2]}{index}-1^{name} {index}^LN^L{index}^Local {name}^99LAB||"
            f"{value}|{unit}^{unit}^UCUM|1-99|N|||F|||20240102063000+0100||TECH01^Tech^Tina||||"
            "20240102070000+0100||||Main Laboratory^L^^^^CLIA^XX^^^05D0642827\r"
        )
    return text.encode()


def vxu(number: int) -> bytes:
    """A VXU^V04 with two vaccines."""
    n, doctor = 5_000_000 + number, DOCTOR.format(d=number % 10)
    text = MSH.format(app="IIS", kind="VXU^V04^VXU_V04", n=n) + PID.format(n=n)
    for index, (code, name) in enumerate((("08", "Hep B"), ("20", "DTaP")), 1):
        text += (
            f"ORC|RE||{n}{index}^STMARY|||||||||{doctor}\r"
            f"RXA|0|1|20240101||{code}^{name}^CVX|0.5|mL^^UCUM||00^New^NIP001|{doctor}|"
            f"^^^STMARY||||L{n}|20250101|MSD^Merck^MVX|||CP|A\r"
            "RXR|C28161^Intramuscular^NCIT|LA^Left arm^HL70163\r"
        )
    return text.encode()


def siu(number: int) -> bytes:
    """An SIU^S12."""
    n, doctor = 5_000_000 + number, DOCTOR.format(d=number % 10)
    text = MSH.format(app="SCH", kind="SIU^S12^SIU_S12", n=n) + (
        f"SCH|A{n}^EPIC|F{n}^EPIC|||||ROUTINE^Routine^HL70276|OFFICE^Office visit|30|"
        f"min^minute^ISO+|^^30^202402010900{number % 60:02}+0100^20240201093000+0100|||||"
        f"{doctor}||||||||BOOKED\r"
    ) + PID.format(n=n)  # fmt: skip
    text += f"PV1|1|O|CLINIC^1^^STMARY||||{doctor}{'|' * 12}V{n}^^^STMARY^VN\rRGS|1\r"
    text += f"AIG|1||{doctor}\rAIL|1||CLINIC^1^^STMARY\rAIP|1||{doctor}\r"
    return text.encode()


def mdm(number: int) -> bytes:
    """An MDM^T02 with a document of 1 MB inside."""
    n, doctor = 5_000_000 + number, DOCTOR.format(d=number % 10)
    text = MSH.format(app="DOC", kind="MDM^T02^MDM_T02", n=n) + "EVN|T02|20240101115900+0100\r"
    text += PID.format(n=n) + f"PV1|1|I|4WEST^401^A^STMARY||||{doctor}\r"
    text += f"TXA|1|DS|AP|20240101||20240101120000+0100||{doctor}|||D{n}^EPIC|||||AU||AV\r"
    text += f"OBX|1|ED|18842-5^Discharge summary^LN||^application^pdf^Base64^{PDF}||||||F\r"
    return text.encode()

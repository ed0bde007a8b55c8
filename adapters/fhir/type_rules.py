"""Constraints on data types: type, key, words, test. Source: https://hl7.org/fhir/R4/datatypes.html."""

import re
from collections.abc import Callable

from adapters.fhir.constraint import (
    has,
    has_choice,
    in_order,
    is_absolute,
    items,
    not_both,
    number_of,
    one_of,
    text_of,
    unique,
)
from bridge.core.record.bundle import JsonObject

__all__ = ["TYPE_RULES", "Row"]

Row = tuple[str, str, str, Callable[[JsonObject], bool]]

_UCUM = "http://unitsofmeasure.org"
_SAMPLE = re.compile(r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+|[EUL]").fullmatch


def _is_extension(value: JsonObject) -> bool:
    return has_choice(value, "value") != ("extension" in value)


def _is_range(value: JsonObject) -> bool:
    low, high = value.get("low"), value.get("high")
    if (
        isinstance(low, dict)
        and isinstance(high, dict)
        and text_of(low, "code") != text_of(high, "code")
    ):
        return True
    least, most = number_of(low, "value"), number_of(high, "value")
    return least is None or most is None or least <= most


def _is_ratio(value: JsonObject) -> bool:
    numerator, denominator = "numerator" in value, "denominator" in value
    return numerator == denominator and (numerator or "extension" in value)


def _is_measure(value: JsonObject) -> bool:
    system = text_of(value, "system")
    return system in {"", _UCUM} and (has(value, "code") or not has(value, "value"))


def _is_duration(value: JsonObject) -> bool:
    if not has(value, "code"):
        return True
    return text_of(value, "system") == _UCUM and has(value, "value")


def _is_count(value: JsonObject) -> bool:
    amount = number_of(value, "value")
    whole = amount is None or amount == amount.to_integral_value()
    return _is_measure(value) and whole and text_of(value, "code") in {"", "1"}


def _is_positive(value: JsonObject) -> bool:
    amount = number_of(value, "value")
    return amount is None or amount > 0


def _absolute_system(value: JsonObject) -> bool:
    system = text_of(value, "system")
    return not system or is_absolute(system)


def _never_negative(name: str) -> Callable[[JsonObject], bool]:
    def holds(value: JsonObject) -> bool:
        amount = number_of(value, name)
        return amount is None or amount >= 0

    return holds


def _implies(given: str, needed: str) -> Callable[[JsonObject], bool]:
    return lambda value: not has(value, given) or has(value, needed)


_MEALS = {"C", "CM", "CD", "CV"}


def _offset_fits(value: JsonObject) -> bool:
    when = value.get("when")
    if not has(value, "offset"):
        return True
    return isinstance(when, list) and not _MEALS & {item for item in when if isinstance(item, str)}


def _max_is_possible(value: JsonObject) -> bool:
    most = text_of(value, "max")
    least = number_of(value, "min")
    return not most or most == "*" or (most.isdigit() and (least is None or least <= int(most)))


def _one_kind(value: JsonObject) -> bool:
    return not (has_choice(value, "fixed") and has_choice(value, "pattern"))


def _size_fits(value: JsonObject) -> bool:
    size, data = number_of(value, "size"), "".join(text_of(value, "data").split())
    return size is None or not data or size == len(data) // 4 * 3 - data[-2:].count("=")


def _are_samples(value: JsonObject) -> bool:
    return all(_SAMPLE(sample) for sample in text_of(value, "data").split())


def _simple(*names: str) -> Callable[[JsonObject], bool]:
    """Each of these is a SimpleQuantity, https://hl7.org/fhir/R4/datatypes.html#SimpleQuantity."""
    return lambda value: (
        not any(has(one, "comparator") for name in names for one in items(value, name))
    )


TYPE_RULES: tuple[Row, ...] = (
    ("Extension", "ext-1", "an extension has a value or extensions, not both", _is_extension),
    (
        "Period",
        "per-1",
        "a period does not end before it starts",
        lambda value: in_order(text_of(value, "start"), text_of(value, "end")),
    ),
    ("Range", "rng-2", "the low of a range is not above its high", _is_range),
    ("Ratio", "rat-1", "a ratio has numerator and denominator, or neither", _is_ratio),
    (
        "Quantity Age Count Distance Duration",
        "qty-3",
        "a code of a unit needs its system",
        _implies("code", "system"),
    ),
    ("Age", "age-1", "an age has a UCUM code of time", _is_measure),
    ("Age", "age-1", "an age is above zero", _is_positive),
    ("Duration", "drt-1", "a code of a duration needs UCUM and a value", _is_duration),
    ("Count", "cnt-3", "a count is a whole number with the UCUM code 1", _is_count),
    ("Distance", "dis-1", "a distance has a UCUM code of length", _is_measure),
    ("ContactPoint", "cpt-2", "a contact value needs its system", _implies("value", "system")),
    ("Attachment", "att-1", "data needs its contentType", _implies("data", "contentType")),
    ("Attachment", "attachment-size", "the size is that of the data", _size_fits),
    ("Coding Identifier", "system-absolute", "a system is an absolute URI", _absolute_system),
    (
        "SampledData",
        "sampled-data",
        "samples are decimals, E, U or L, each after a space",
        _are_samples,
    ),
    (
        "Range ObservationReferenceRange",
        "sqty-1",
        "low and high have no comparator",
        _simple("low", "high"),
    ),
    ("SampledData", "sqty-1", "an origin has no comparator", _simple("origin")),
    (
        "Dosage",
        "sqty-1",
        "a largest dose has no comparator",
        _simple("maxDosePerAdministration", "maxDosePerLifetime"),
    ),
    (
        "DosageDoseAndRate",
        "sqty-1",
        "a dose has no comparator",
        _simple("doseQuantity", "rateQuantity"),
    ),
    (
        "TimingRepeat",
        "tim-1",
        "a duration needs its durationUnit",
        _implies("duration", "durationUnit"),
    ),
    ("TimingRepeat", "tim-2", "a period needs its periodUnit", _implies("period", "periodUnit")),
    ("TimingRepeat", "tim-4", "a duration is not negative", _never_negative("duration")),
    ("TimingRepeat", "tim-5", "a period is not negative", _never_negative("period")),
    ("TimingRepeat", "tim-6", "periodMax needs period", _implies("periodMax", "period")),
    ("TimingRepeat", "tim-7", "durationMax needs duration", _implies("durationMax", "duration")),
    ("TimingRepeat", "tim-8", "countMax needs count", _implies("countMax", "count")),
    ("TimingRepeat", "tim-9", "an offset needs a when that is no meal", _offset_fits),
    (
        "TimingRepeat",
        "tim-10",
        "timeOfDay and when exclude each other",
        not_both("timeOfDay", "when"),
    ),
    (
        "Expression",
        "exp-1",
        "an expression has an expression or a reference",
        lambda value: has(value, "expression", "reference"),
    ),
    (
        "DataRequirementCodeFilter",
        "drq-1",
        "a filter has a path or a searchParam, not both",
        one_of("path", "searchParam"),
    ),
    (
        "DataRequirementDateFilter",
        "drq-2",
        "a filter has a path or a searchParam, not both",
        one_of("path", "searchParam"),
    ),
    (
        "TriggerDefinition",
        "trd-1",
        "a trigger has timing or data, not both",
        lambda value: not (has(value, "data") and has_choice(value, "timing")),
    ),
    (
        "TriggerDefinition",
        "trd-2",
        "a condition needs data",
        _implies("condition", "data"),
    ),
    ("ElementDefinition", "eld-2", "min is not above max", _max_is_possible),
    ("ElementDefinition", "eld-8", "fixed and pattern exclude each other", _one_kind),
    (
        "ElementDefinition",
        "eld-13",
        "a type is listed once",
        lambda value: unique([text_of(one, "code") for one in items(value, "type")]),
    ),
    (
        "ElementDefinition",
        "eld-14",
        "a constraint has a key of its own",
        lambda value: unique([text_of(one, "key") for one in items(value, "constraint")]),
    ),
    (
        "ElementDefinition",
        "eld-15",
        "defaultValue and meaningWhenMissing exclude each other",
        lambda value: not (has_choice(value, "defaultValue") and has(value, "meaningWhenMissing")),
    ),
)

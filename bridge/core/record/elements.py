"""How one element of a resource meets a newer statement of it: replaced, joined or taken away."""

from functools import lru_cache

import msgspec

from bridge.core.record.bundle import Json, JsonObject

__all__ = ["CHOICES", "TYPES", "choice_of", "merged", "without"]

_CHOICES = """
    abatement additive age allowed amount answer asNeeded author born bounds characteristic
    chargeItem citeAs code collected concentration content created date deceased defaultValue
    definition detail diagnosis dose doseNumber due duration effective entity event example
    fastingStatus fixed identified indication item legallyBinding location manufacturer maxValue
    medication minValue minimumVolume module multipleBirth name occurred occurrence offset onset
    participantEffective pattern performed period presentation probability procedure product
    quantity rate reported scheduled seriesDoses serviced source start statusReason strength
    studyEffective subject substance substanceDefinition target time timing topic used value when"""
_TYPES = """
    Address Age Annotation Attachment Base64Binary Boolean Canonical Code CodeableConcept
    CodeableReference Coding ContactDetail ContactPoint Contributor Count DataRequirement Date
    DateTime Decimal Distance Dosage Duration Expression HumanName Id Identifier Instant Integer
    Markdown Meta Money Oid ParameterDefinition Period PositiveInt Quantity Range Ratio RatioRange
    Reference RelatedArtifact SampledData Signature String Time Timing TriggerDefinition
    UnsignedInt Uri Url UsageContext Uuid"""
_BACKBONES = frozenset(
    (
        *("batch", "collection", "context", "dispenseRequest"),
        *("hospitalization", "position", "restriction", "substitution"),
    )
)
"""Single elements that are sets of independent facts, so that one fact leaves the others alone.
A CodeableConcept, Reference, Quantity or Address is one statement and is replaced as a whole: the
text of an old concept beside the code of a new one would be a lie."""

CHOICES = frozenset(_CHOICES.split())
"""Names before `[x]` of the choice elements, https://hl7.org/fhir/R4B/formats.html#choice."""
TYPES = frozenset(_TYPES.split())
"""What may stand in place of `[x]`."""

_PERIOD = frozenset({"start", "end", "_start", "_end", "extension", "id"})

_Key = tuple[str, ...]


def merged(stored: JsonObject, newer: JsonObject) -> JsonObject:
    """What is stored, with every element that `newer` has put in place; neither is altered.

    `merged(merged(a, b), b) == merged(a, b)`, and every element name of `a` is in the
    result, its choice sibling or its primitive extension aside.
    """
    body = dict(stored)
    for name, value in newer.items():
        for other in _replaced_by(name, newer, body):
            del body[other]
        body[name] = _joined(name, body.get(name), value)
    return body


def without(body: JsonObject, path: list[str]) -> JsonObject:
    """The body less the element at `path`, in every item of the lists on the way; empty parents go.

    A name may be that of a choice element without its type: `deceased` takes `deceasedBoolean`.
    """
    name, rest = path[0], path[1:]
    kept: JsonObject = {}
    for key, value in body.items():
        plain = key.removeprefix("_")
        if name not in (plain, choice_of(plain)):
            kept[key] = value
        elif rest:
            left = _without_below(value, rest)
            if left not in ({}, []):
                kept[key] = left
    return kept


def _without_below(value: Json, path: list[str]) -> Json:
    if isinstance(value, list):
        items = [_without_below(item, path) for item in value]
        return [item for item in items if item != {}]
    return without(value, path) if isinstance(value, dict) else value


@lru_cache(maxsize=4096)  # R4B has about 2,000 element names; strangers may send others
def choice_of(name: str) -> str:
    """`value` for `valueString`; the name itself when it is no choice element."""
    for at in range(len(name) - 1, 0, -1):
        if name[at].isupper() and name[at:] in TYPES and name[:at] in CHOICES:
            return name[:at]
    return name


def _replaced_by(name: str, newer: JsonObject, body: JsonObject) -> tuple[str, ...]:
    """Names in the body that cannot stand beside the newer element."""
    plain = name.removeprefix("_")
    if name != plain:
        return ()
    choice = choice_of(plain)
    names = [
        key
        for key in body
        if choice != plain
        and not isinstance(newer[name], list)  # a choice element never repeats
        and key.removeprefix("_") != plain
        and choice_of(key.removeprefix("_")) == choice
    ]
    # An extension speaks of the value that it was sent with (a time of birth, of that day).
    if f"_{name}" in body and f"_{name}" not in newer and body.get(name) != newer[name]:
        names.append(f"_{name}")
    return tuple(names)


def _joined(name: str, stored: Json, newer: Json) -> Json:
    if isinstance(stored, list) and isinstance(newer, list) and name in _KEYS:
        return _joined_list(name, stored, newer)
    if isinstance(stored, dict) and isinstance(newer, dict) and _is_set_of_facts(name, newer):
        return merged(stored, newer)
    return newer


def _is_set_of_facts(name: str, newer: JsonObject) -> bool:
    # Several elements called `context` are References: one statement, not a set.
    backbone = name in _BACKBONES and "reference" not in newer
    return name == "meta" or backbone or newer.keys() <= _PERIOD


def _joined_list(name: str, stored: list[Json], newer: list[Json]) -> list[Json]:
    """Union by key: the newer items, in their order, stand where the first they replace stood.

    One against one they are joined element by element; several with one key replace
    all stored ones of that key, since nothing says which is which.
    """
    keys = [_key_of(name, item) for item in stored]
    fresh = [_key_of(name, item) for item in newer]
    known = dict(zip(keys, stored, strict=True))
    items = [
        _joined_item(known[key], item) if keys.count(key) == fresh.count(key) == 1 else item
        for key, item in zip(fresh, newer, strict=True)
    ]
    taken = set(fresh)
    at = next((place for place, key in enumerate(keys) if key in taken), len(keys))
    kept = [item for key, item in zip(keys, stored, strict=True) if key not in taken]
    return kept[:at] + items + kept[at:]


def _joined_item(stored: Json, newer: Json) -> Json:
    if isinstance(stored, dict) and isinstance(newer, dict):
        return merged(stored, newer)
    return newer


def _key_of(name: str, item: Json) -> _Key:
    """What tells two items of a keyed list apart; the whole item where it has no key."""
    if isinstance(item, dict):
        values = [_at(item, path) for path in _KEYS[name]]
        if any(values):
            return tuple(values)
    return ("", msgspec.json.encode(item, order="sorted").decode())


def _at(item: JsonObject, path: tuple[str, ...]) -> str:
    value: Json = item
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


_CODING = (("system",), ("code",))
_KEYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "extension": (("url",),),
    "modifierExtension": (("url",),),
    "identifier": (("system",), ("value",)),
    "link": (("other", "reference"),),
    "profile": (),
    "tag": _CODING,
    "security": _CODING,
}
"""Lists that grow: each with the elements that make an item's key."""

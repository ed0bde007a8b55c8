"""How one element of a resource meets a newer statement of it: replaced, joined, or left alone.

docs/adr/0009 has the rules for people; `statements` says which of two statements says less.
"""

from collections.abc import Collection
from functools import lru_cache

import msgspec

from bridge.core.record.bundle import Json, JsonObject
from bridge.core.record.statements import ends_before, says_less, says_nothing

__all__ = ["CHOICES", "TYPES", "choice_of", "filled", "holds", "merged", "vacated"]

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

_DATED = frozenset({"asNeeded", "deceased", "multipleBirth"})
"""Choices whose `true` is said as well by a date, a number or a concept in its place."""

_PERIOD = frozenset({"start", "end", "_start", "_end", "extension", "id"})

_Key = tuple[str, ...]


def merged(stored: JsonObject, newer: JsonObject) -> JsonObject:
    """What is stored, with every element that `newer` has put in place; neither is altered.

    What says nothing (an unknown status) or less of the same (a name without its prefix) leaves
    the stored statement. `merged(merged(a, b), b) == merged(a, b)`, and every element name of `a`
    is in the result, its choice sibling or its primitive extension aside.
    """
    body = dict(stored)
    for name, value in newer.items():
        if _adds_nothing(name, value, stored):
            continue
        made = _joined(name, body.get(name), value)
        for other in _replaced_by(name, made, newer, body):
            del body[other]
        body[name] = made
    return body


def vacated(stored: JsonObject, newer: JsonObject, names: Collection[str]) -> JsonObject:
    """What is stored, where it must leave nothing of itself in the newer values of these elements.

    Items of a list that the newer ones take the place of become them; the others stay.
    """
    body = dict(stored)
    for name in names:
        held, value = stored.get(name), newer.get(name)
        if isinstance(held, list) and isinstance(value, list):
            body[name] = _vacated(name, held, value)
        elif held is not None and value is not None:
            body[name] = value
    return body


def _vacated(name: str, held: list[Json], value: list[Json]) -> list[Json]:
    if not _is_keyed(name, (*held, *value)):
        return value
    fresh = {_key_of(name, item): item for item in reversed(value)}
    return [fresh.get(_key_of(name, item), item) for item in held]


def filled(stored: JsonObject, newer: JsonObject) -> JsonObject:
    """What is stored, with the elements that it lacks; what it has is not overwritten."""
    body = dict(stored)
    for name, value in newer.items():
        held = stored.get(name)
        if not holds(stored, name.removeprefix("_")):
            body[name] = value
        elif isinstance(held, list) and isinstance(value, list) and name in _GROWING:
            known = {_key_of(name, item) for item in held}
            body[name] = [*held, *(one for one in value if _key_of(name, one) not in known)]
        elif isinstance(held, dict) and isinstance(value, dict) and _is_set_of_facts(name, value):
            body[name] = filled(held, value)
    return body


def holds(body: JsonObject, name: str) -> bool:
    """Whether the element is there: by itself, as another type of its choice, or as `_name`."""
    choice = choice_of(name)
    return any(choice_of(key.removeprefix("_")) == choice for key in body)


def _adds_nothing(name: str, value: Json, stored: JsonObject) -> bool:
    """Nothing, or less than a stored sibling: that somebody died says less than when."""
    plain = name.removeprefix("_")
    if value is True:
        return choice_of(name) in _DATED and name not in stored and holds(stored, name)
    return says_nothing(plain, value) and holds(stored, plain)


@lru_cache(maxsize=4096)  # R4B has about 2,000 element names; strangers may send others
def choice_of(name: str) -> str:
    """`value` for `valueString`; the name itself when it is no choice element."""
    for at in range(len(name) - 1, 0, -1):
        if name[at].isupper() and name[at:] in TYPES and name[:at] in CHOICES:
            return name[:at]
    return name


def _replaced_by(name: str, made: Json, newer: JsonObject, body: JsonObject) -> tuple[str, ...]:
    """Names in the body that cannot stand beside the element as it becomes."""
    plain = name.removeprefix("_")
    if name != plain:
        return ()
    choice = choice_of(plain)
    names = [
        key
        for key in body
        if choice != plain
        and not isinstance(made, list)  # a choice element never repeats
        and key.removeprefix("_") != plain
        and choice_of(key.removeprefix("_")) == choice
    ]
    # An extension speaks of the value that it was sent with (a time of birth, of that day).
    if f"_{name}" in body and f"_{name}" not in newer and body.get(name) != made:
        names.append(f"_{name}")
    return tuple(names)


def _joined(name: str, stored: Json, newer: Json) -> Json:
    if stored == newer:
        return stored
    if isinstance(stored, list) and isinstance(newer, list):
        return _joined_list(name, stored, newer)
    if isinstance(stored, dict) and isinstance(newer, dict):
        if _is_set_of_facts(name, newer):
            made = merged(stored, newer)
            return newer if ends_before(made.get("start"), made.get("end")) else made
        return _met(name, stored, newer)
    return stored if says_less(newer, stored, name) else newer


def _is_set_of_facts(name: str, newer: JsonObject) -> bool:
    # Several elements called `context` are References: one statement, not a set.
    backbone = name in _BACKBONES and "reference" not in newer
    return name == "meta" or backbone or newer.keys() <= _PERIOD


def _met(name: str, stored: Json, newer: Json) -> Json:
    """One statement meets another: the richer one where they agree, else the newer one."""
    if says_less(newer, stored, name):
        return stored
    if isinstance(stored, dict) and isinstance(newer, dict):
        shared = stored.get("reference") == newer.get("reference") is not None
        if shared or _is_one_person(name, stored, newer):
            return {
                key: _met(key, stored[key], newer[key])
                if key in stored and key in newer
                else stored.get(key, newer.get(key))
                for key in (*stored, *(key for key in newer if key not in stored))
            }
    return newer


def _is_one_person(name: str, stored: JsonObject, newer: JsonObject) -> bool:
    """Two HumanNames with one family and, as far as both go, one set of given names."""
    if name != "name" or not stored.get("family") or not newer.get("family"):
        return False
    first, second = stored.get("given"), newer.get("given")
    return says_less(newer["family"], stored["family"], "family") and (
        says_less(second, first, "given") or says_less(first, second, "given")
    )


def _joined_list(name: str, stored: list[Json], newer: list[Json]) -> list[Json]:
    """Union by key: the newer items, in their order, stand where the first they replace stood.

    One against one they are joined. Several with one key replace all stored ones of that key,
    since nothing says which is which; a stored one that says more than the newer stays for it.
    """
    if not _is_keyed(name, (*stored, *newer)):
        pairs = zip(stored, newer, strict=False)
        return [_met(name, old, new) for old, new in pairs] + newer[len(stored) :]
    keys = [_key_of(name, item) for item in stored]
    held = _by_key(keys, stored)
    fresh = _without_repeats(name, newer)
    items: list[Json] = []
    for key, said in fresh.items():
        same = held.get(key, [])
        made = [_in_place(name, same, item, alone=len(said) == 1) for item in said]
        items += [item for at, item in enumerate(made) if item not in made[:at][:_MANY]]
    at = next((place for place, key in enumerate(keys) if key in fresh), len(keys))
    kept = [item for key, item in zip(keys, stored, strict=True) if key not in fresh]
    return kept[:at] + items + kept[at:]


def _by_key(keys: list[_Key], items: list[Json]) -> dict[_Key, list[Json]]:
    found: dict[_Key, list[Json]] = {}
    for key, item in zip(keys, items, strict=True):
        found.setdefault(key, []).append(item)
    return found


def _without_repeats(name: str, items: list[Json]) -> dict[_Key, list[Json]]:
    """By key, less what another item of that key says as well: two fields may state one number."""
    found: dict[_Key, list[Json]] = {}
    for item in items:
        said = found.setdefault(_key_of(name, item), [])
        if len(said) > _MANY:
            said.append(item)
        elif not any(says_less(item, other, name) for other in said):
            said[:] = [other for other in said if not says_less(other, item, name)] + [item]
    return found


def _in_place(name: str, same: list[Json], item: Json, *, alone: bool) -> Json:
    """What becomes of the stored items of one key when a newer one arrives."""
    if not alone or len(same) != 1:
        return next((old for old in same[:_MANY] if says_less(item, old, name)), item)
    (old,) = same
    if name in _KEYS and isinstance(old, dict) and isinstance(item, dict):
        return merged(old, item)
    return _met(name, old, item)


def _is_keyed(name: str, items: tuple[Json, ...]) -> bool:
    needed = _NEEDED.get(name)
    if needed:
        return all(isinstance(item, dict) and needed in item for item in items)
    return name in _KEYS or name in _SLOTS


def _key_of(name: str, item: Json) -> _Key:
    """What tells two items of a keyed list apart; the whole item where it has no key."""
    if isinstance(item, dict):
        slot = _SLOTS.get(name)
        if slot is not None:
            return tuple(_at(item, (part,)) or usual for part, usual in slot)
        values = [_at(item, path) for path in _KEYS[name]]
        if any(values):
            return tuple(values)
    return ("", msgspec.json.encode(item, order="sorted").decode())


def _at(item: JsonObject, path: tuple[str, ...]) -> str:
    """The text at the path, through the first item of a list on the way."""
    value: Json = item
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
        if isinstance(value, list):
            value = value[0] if value else None
    return value if isinstance(value, str) else ""


_MANY = 50
"""Items of one key that are compared with each other: nobody has more telephones of one use, and
a message with thousands must not take minutes."""
_CODING = (("system",), ("code",))
_KEYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "basedOn": (("reference",), ("identifier", "value")),
    "contact": (("name", "family"), ("name", "given"), ("name", "text")),
    "derivedFrom": (("reference",),),
    "extension": (("url",),),
    "hasMember": (("reference",),),
    "identifier": (("system",), ("value",)),
    "link": (("other", "reference"),),
    "location": (("location", "reference"), ("location", "display")),
    "modifierExtension": (("url",),),
    "participant": (("type", "coding", "code"),),
    "presentedForm": (("title",), ("contentType",)),
    "profile": (),
    "reasonReference": (("reference",),),
    "result": (("reference",),),
    "security": _CODING,
    "specimen": (("reference",),),
    "tag": _CODING,
}
"""Lists that grow: each with the elements that make an item's key."""
_NEEDED = {"contact": "name", "location": "location", "participant": "individual"}
"""Names that stand for other lists too: they are keyed where every item has this element."""
_GROWING = frozenset({"extension", "identifier", "link", "profile", "result", "security", "tag"})
"""Of these, the lists to which a message adds that states something else."""
_SLOTS: dict[str, tuple[tuple[str, str], ...]] = {
    "address": (("use", ""), ("type", "")),
    "name": (("use", "official"),),
    "telecom": (("system", "phone"), ("use", "")),
}
"""Lists whose items are told apart by what they are for: part, and what stands for its absence.
A newer item takes the place of the stored ones of its slot, and leaves the other slots alone."""

"""The R4 elements of every type, read once from the models of `fhir.resources.R4B`.

The models judge by their declarations; they never parse or print a resource, because printing one
changes it (0.40 to 0.4). Types that only R4B has are not known here.
"""

import re
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from fhir.resources.R4B import fhirtypes, get_fhir_model_class
from fhir_core.fhirabstractmodel import FHIRAbstractModel
from pydantic.fields import FieldInfo

from adapters.fhir.primitives import GRAMMARS, Grammar

__all__ = ["Element", "Shape", "resource_shape", "type_shape"]

_R4B_ONLY_NAMES = """
    AdministrableProductDefinition Citation ClinicalUseDefinition EvidenceReport Ingredient
    ManufacturedItemDefinition MedicinalProductDefinition NutritionProduct
    PackagedProductDefinition RegulatedAuthorization SubscriptionStatus SubscriptionTopic
    SubstanceDefinition"""
_R4B_ONLY = frozenset(_R4B_ONLY_NAMES.split())
_ABSTRACT = frozenset({"Resource", "DomainResource"})
_CODE = re.compile(r"(?!\+$)[A-Za-z0-9<>=!*/.\-]+").fullmatch

_OPEN_CODES: dict[str, str] = {
    "AuditEvent.action": "C R U D E",
    "AuditEvent.outcome": "0 4 8 12",
    "CapabilityStatement.format": "",
    "Expression.language": "",
    "ImplementationGuideDefinitionParameter.code": "",
    "QuestionnaireItem.type": "group display question boolean decimal integer date dateTime time "
    "string text url choice open-choice attachment reference quantity",
    "DetectedIssue.status": "registered preliminary final amended corrected cancelled "
    "entered-in-error unknown",
    "DeviceUdiCarrier.entryType": "barcode rfid manual card self-reported unknown",
    "DeviceUseStatement.status": "active completed entered-in-error intended stopped on-hold",
    "DiagnosticReport.status": "registered partial preliminary final amended corrected appended "
    "cancelled entered-in-error unknown",
    "Encounter.status": "planned arrived triaged in-progress onleave finished cancelled "
    "entered-in-error unknown",
    "EncounterStatusHistory.status": "planned arrived triaged in-progress onleave finished "
    "cancelled entered-in-error unknown",
    "Observation.status": "registered preliminary final amended corrected cancelled "
    "entered-in-error unknown",
    "RiskAssessment.status": "registered preliminary final amended corrected cancelled "
    "entered-in-error unknown",
    "SupplyRequest.status": "draft active suspended cancelled completed entered-in-error unknown",
    "Task.status": "draft requested received accepted rejected ready cancelled in-progress "
    "on-hold failed completed entered-in-error",
}
"""Where the models cut a required binding short, or list codes that are only examples (empty:
any code). Source: the value sets of R4."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One element as JSON spells it. `grammar` and `model` exclude each other."""

    name: str
    repeats: bool
    grammar: Grammar | None = None
    type_name: str = ""
    """Of the value: a FHIR type, `Resource` for any resource, `_` beside a primitive."""
    choice: str = ""
    codes: frozenset[str] = frozenset()
    targets: frozenset[str] = frozenset()
    """Resource types that a Reference here may lead to; empty for any."""
    model: type[FHIRAbstractModel] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What one type may hold."""

    name: str
    elements: dict[str, Element]
    required: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    """Choice elements of which one type must be given."""
    is_resource: bool = False


def _candidates() -> frozenset[str]:
    """Names of resource types, and of some data types: the model says which at first use."""
    names = {name.removesuffix("Type") for name in dir(fhirtypes) if name.endswith("Type")}
    found = set()
    for name in names - _R4B_ONLY - _ABSTRACT:
        kind = getattr(fhirtypes, f"{name}Type")
        where = str(getattr(kind, "_model_klass", ""))
        if where == f"fhir.resources.R4B.{name.lower()}.{name}":
            found.add(name)
    return frozenset(found)


_CANDIDATES = _candidates()


@lru_cache(maxsize=512)  # there are about 150 resource types; strangers may name others
def resource_shape(name: str) -> Shape | None:
    """The shape of a resource type of R4; None when there is no such type."""
    if name not in _CANDIDATES:
        return None
    model = get_fhir_model_class(name)
    return _shape_of(model) if model.has_resource_base() else None


@cache
def type_shape(model: type[FHIRAbstractModel]) -> Shape:
    """The shape of a data type or backbone element."""
    return _shape_of(model)


def _shape_of(model: type[FHIRAbstractModel]) -> Shape:
    name = model.__name__
    elements = {}
    required, choices = [], []
    for field_name, info in model.model_fields.items():
        alias = info.alias or field_name
        if alias in {"fhir_comments", "resource_type"}:
            continue
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        elements[alias] = _element(f"{name}.{alias}", alias, info, extra)
        if info.is_required() or extra.get("element_required"):
            required.append(alias)
        choice = extra.get("one_of_many")
        if choice and extra.get("one_of_many_required") and choice not in choices:
            choices.append(str(choice))
    return Shape(
        name=name,
        elements=elements,
        required=tuple(required),
        choices=tuple(choices),
        is_resource=model.has_resource_base(),
    )


def _element(path: str, alias: str, info: FieldInfo, extra: Mapping[str, object]) -> Element:
    annotation, repeats = _unwrapped(info.annotation)
    choice = str(extra.get("one_of_many") or "")
    model_of = getattr(annotation, "get_model_klass", None)
    if model_of is not None:
        model = model_of()
        name = "_" if model.__name__ == "FHIRPrimitiveExtension" else model.__name__
        targets = frozenset(_texts(extra, "enum_reference_types"))
        return Element(
            name=alias,
            repeats=repeats,
            type_name=name,
            choice=choice,
            targets=frozenset() if "Resource" in targets else targets,
            model=model,
        )
    name = _primitive_name(info, annotation, path)
    codes = _codes(path, _texts(extra, "enum_values")) if name == "code" else frozenset()
    return Element(
        name=alias,
        repeats=repeats,
        type_name=name,
        choice=choice,
        grammar=GRAMMARS[name],
        codes=codes,
    )


def _texts(extra: Mapping[str, object], key: str) -> tuple[str, ...]:
    listed = extra.get(key)
    return tuple(str(item) for item in listed) if isinstance(listed, list) else ()


def _codes(path: str, listed: tuple[str, ...]) -> frozenset[str]:
    if path in _OPEN_CODES:
        return frozenset(_OPEN_CODES[path].split())
    return frozenset(listed) if all(_CODE(code) for code in listed) else frozenset()


def _unwrapped(annotation: object) -> tuple[object, bool]:
    """The type inside Optional and List, and whether a List was met."""
    repeats = False
    inner = [part for part in typing.get_args(annotation) if part is not type(None)]
    while inner and typing.get_origin(annotation) is not typing.Annotated:
        repeats = repeats or typing.get_origin(annotation) is list
        annotation = inner[0]
        inner = [part for part in typing.get_args(annotation) if part is not type(None)]
    return annotation, repeats


def _primitive_name(info: FieldInfo, annotation: object, path: str) -> str:
    if annotation is bool:
        return "boolean"
    metadata = [*typing.get_args(annotation)[1:], *info.metadata]
    for item in metadata:
        name = type(item).__name__
        if name == "UuidVersion":
            return "uuid"
        name = name[0].lower() + name[1:]
        if name in GRAMMARS:
            return name
    msg = f"no FHIR primitive for {path}: {annotation!r}"
    raise TypeError(msg)

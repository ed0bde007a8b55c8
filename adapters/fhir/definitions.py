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

from adapters.fhir.bindings import CODES, CONCEPTS, TARGETS, Concept, Form, form_of
from adapters.fhir.primitives import GRAMMARS, Grammar
from bridge.core.record.bundle import Json

__all__ = ["Element", "Shape", "resource_shape", "type_shape"]

_R4B_ONLY_NAMES = """
    AdministrableProductDefinition Citation ClinicalUseDefinition EvidenceReport Ingredient
    ManufacturedItemDefinition MedicinalProductDefinition NutritionProduct
    PackagedProductDefinition RegulatedAuthorization SubscriptionStatus SubscriptionTopic
    SubstanceDefinition"""
_R4B_ONLY = frozenset(_R4B_ONLY_NAMES.split())
_ABSTRACT = frozenset({"Resource", "DomainResource"})
_CODE = re.compile(r"(?!\+$)[A-Za-z0-9<>=!*/.\-]+").fullmatch


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
    form: str = ""
    """Of a code whose value set is a grammar, such as `MIME type (BCP 13)`."""
    concept: Concept | None = None
    """What a CodeableConcept here must have a code of."""
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
        elements[alias] = _element(name, alias, info, extra)
        if info.is_required() or extra.get("element_required"):
            required.append(alias)
        choice = extra.get("one_of_many")
        if choice and extra.get("one_of_many_required") and choice not in choices:
            choices.append(str(choice))
    for alias, element in tuple(elements.items()):
        if element.grammar is not None and _may_be_extended(alias, model):
            elements[f"_{alias}"] = Element(
                name=f"_{alias}",
                repeats=element.repeats,
                type_name="_",
                choice=element.choice,  # it chooses a type as its value does
                model=get_fhir_model_class("FHIRPrimitiveExtension"),
            )
    return Shape(
        name=name,
        elements=elements,
        required=tuple(required),
        choices=tuple(choices),
        is_resource=model.has_resource_base(),
    )


def _may_be_extended(alias: str, model: type[FHIRAbstractModel]) -> bool:
    """Whether `_name` may stand beside the primitive: the models leave out those of an Extension.

    Ids of elements and the url of an extension are no primitives of FHIR, an id of a resource is
    (https://hl7.org/fhir/R4/resource.html#id, https://hl7.org/fhir/R4/extensibility.html).
    """
    if alias == "id":
        return model.has_resource_base()
    return (model.__name__, alias) != ("Extension", "url")


def _element(owner: str, alias: str, info: FieldInfo, extra: Mapping[str, object]) -> Element:
    path = f"{owner}.{alias}"
    annotation, repeats = _unwrapped(info.annotation)
    choice = str(extra.get("one_of_many") or "")
    model_of = getattr(annotation, "get_model_klass", None)
    if model_of is not None:
        model = model_of()
        name = "_" if model.__name__ == "FHIRPrimitiveExtension" else model.__name__
        targets = TARGETS.get(path) or frozenset(_texts(extra, "enum_reference_types"))
        return Element(
            name=alias,
            repeats=repeats,
            type_name=name,
            choice=choice,
            targets=frozenset() if "Resource" in targets else targets,
            concept=CONCEPTS.get(path),
            model=model,
        )
    name = _primitive_name(info, annotation, path)
    codes = _codes(path, _texts(extra, "enum_values")) if name == "code" else frozenset()
    form = form_of(owner, alias) if name == "code" else None
    return Element(
        name=alias,
        repeats=repeats,
        type_name=name,
        form=form.name if form else "",
        choice=choice,
        grammar=_formed(form) if form else GRAMMARS[name],
        codes=codes,
    )


def _formed(form: Form) -> Grammar:
    """A code that is also spelt as its value set says."""
    is_code = GRAMMARS["code"]

    def fits(value: Json) -> bool:
        return isinstance(value, str) and is_code(value) and form.fits(value) is not None

    return fits


def _texts(extra: Mapping[str, object], key: str) -> tuple[str, ...]:
    listed = extra.get(key)
    return tuple(str(item) for item in listed) if isinstance(listed, list) else ()


def _codes(path: str, listed: tuple[str, ...]) -> frozenset[str]:
    if path in CODES:
        return frozenset(CODES[path].split())
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

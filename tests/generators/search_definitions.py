"""Makes `bridge/core/search/definitions.json` from HL7's search parameters and the R4 models.

Run from the root: `python -m tests.generators.search_definitions ../shared/fhir-samples`.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fhir.resources.R4B import get_fhir_model_class

from adapters.fhir.definitions import Element, Shape, resource_shape, type_shape

__all__ = ["definitions"]

OUTPUT = Path("bridge/core/search/definitions.json")
INDEXED = {"token", "reference", "string", "date", "uri", "quantity", "number"}
LEFT_OUT = {"_id", "_lastUpdated", "_text", "_content", "_query", "phonetic"}
# US Core 6.1 asks for these beside the base parameters of R4.
ASSERTED = "http://hl7.org/fhir/StructureDefinition/condition-assertedDate"
US_CORE = [
    (
        "asserted-date",
        "date",
        f"Condition.extension.where(url='{ASSERTED}').value.as(dateTime)",
    ),
    ("role", "token", "CareTeam.participant.role"),
    ("description", "token", "Goal.description"),
    ("discharge-disposition", "token", "Encounter.hospitalization.dischargeDisposition"),
]
META = [
    ("_profile", "uri", "meta.profile"),
    ("_security", "token", "meta.security"),
    ("_source", "uri", "meta.source"),
    ("_tag", "token", "meta.tag"),
]
EVERY_TYPE = 100
"""HL7 lists all of the 148 types where a parameter may lead to anything."""
STEP = re.compile(r"\.?(where\(.*?'\)|where\(resolve\(\) is \w+\)|(?:as|ofType)\(\w+\)|\w+)")


def definitions(samples: Path) -> dict[str, Any]:
    """Rows `type -> parameter -> [search type, [[path, FHIR type, target]...]]` and compartment."""
    folder = samples / "hl7-r4-definitions"
    bundle = json.loads((folder / "Bundle-searchParams.json").read_text())
    rows: dict[str, dict[str, Any]] = {}
    targets: dict[str, dict[str, list[str]]] = {}
    for entry in bundle["entry"]:
        resource = entry["resource"]
        if resource["type"] in INDEXED and resource["code"] not in LEFT_OUT:
            for base in resource["base"]:
                _add(rows, base, resource["code"], resource["type"], resource["expression"])
                if resource["code"] in rows.get(base, {}) and "target" in resource:
                    targets.setdefault(base, {})[resource["code"]] = _targets(resource["target"])
    for name, kind, expression in US_CORE:
        _add(rows, expression.partition(".")[0], name, kind, expression)
    for base in rows:
        for name, kind, path in META:
            _add(rows, base, name, kind, f"{base}.{path}")
    compartment = json.loads((folder / "CompartmentDefinition-patient.json").read_text())
    return {
        "always": {base: _always(base) for base in sorted(rows)},
        "summary": {base: _summary(base) for base in sorted(rows)},
        "targets": {base: dict(sorted(row.items())) for base, row in sorted(targets.items())},
        "parameters": {base: dict(sorted(params.items())) for base, params in sorted(rows.items())},
        "patient": {
            row["code"]: row["param"] for row in compartment["resource"] if row.get("param")
        },
    }


def _always(base: str) -> list[str]:
    """Elements that no subset leaves out: what R4 requires, and what changes the meaning."""
    shape = resource_shape(base)
    assert shape is not None, base
    chosen = {name for name, one in shape.elements.items() if one.choice in shape.choices}
    found = {"implicitRules", "modifierExtension", *shape.required, *chosen} & set(shape.elements)
    return sorted(name for name in found if name[0] != "_")


def _summary(base: str) -> list[str]:
    """Elements that R4 marks as part of a summary."""
    fields = get_fhir_model_class(base).model_fields.items()
    marked = {
        field.alias or name
        for name, field in fields
        if isinstance(field.json_schema_extra, dict)
        and field.json_schema_extra.get("summary_element_property")
    }
    return sorted(name for name in marked if name[0] != "_")


def _targets(listed: list[str]) -> list[str]:
    """The types that a reference parameter leads to; none for all that there are."""
    return sorted(listed) if len(listed) < EVERY_TYPE else []


def _add(rows: dict[str, Any], base: str, name: str, kind: str, expression: str) -> None:
    shape = resource_shape(base)
    if shape is None:
        return
    paths: list[list[str]] = []
    for part in expression.split("|"):
        text = part.strip().removeprefix("(").removesuffix(")") if " as " in part else part.strip()
        text = re.sub(r" as (\w+)$", r".as(\1)", text).removesuffix(".exists()")
        text = text.partition(".exists() and")[0]
        if text.startswith(f"{base}.") and "[0]" not in text:
            steps = STEP.findall(text.removeprefix(base))
            paths += [list(path) for path in _paths(shape, steps)]
    if paths:
        rows.setdefault(base, {})[name] = [kind, paths]


def _paths(shape: Shape, steps: list[str]) -> Iterator[tuple[str, str, str]]:
    """Each JSON path with the type at its end and the resource type that must be its target."""
    name, rest = steps[0], steps[1:]
    wanted, test, target = "", "", ""
    while rest and "(" in rest[0]:
        word, _, inside = rest[0].removesuffix(")").partition("(")
        if word in {"as", "ofType"}:
            wanted = inside
        elif inside.startswith("resolve() is "):
            target = inside.removeprefix("resolve() is ")
        else:
            key, _, value = inside.partition("=")
            test = f"[{key.strip()}={value.strip().strip(chr(39))}]"
        rest = rest[1:]
    for element in _named(shape, name, wanted):
        here = element.name + test
        if not rest:
            yield here, element.type_name, target
        elif element.model is not None:
            for path, kind, end in _paths(type_shape(element.model), rest):
                yield f"{here} {path}", kind, end


def _named(shape: Shape, name: str, wanted: str) -> list[Element]:
    exact = shape.elements.get(name)
    if exact is not None:
        return [exact]
    found = [e for e in shape.elements.values() if e.choice == name and e.grammar]
    found += [e for e in shape.elements.values() if e.choice == name and e.type_name[0] != "_"]
    unique = {e.name: e for e in found}.values()
    suffix = wanted[:1].upper() + wanted[1:]
    return sorted(
        (e for e in unique if not wanted or e.name == name + suffix), key=lambda e: e.name
    )


def encoded(samples: Path) -> str:
    """The text of the file: one line a parameter, so that a change reads as one."""
    made = definitions(samples)
    lines = ['{"parameters":{']
    for base, params in made["parameters"].items():
        lines.append(f"{json.dumps(base)}:{{")
        lines += [f"{json.dumps(name)}:{json.dumps(row)}," for name, row in params.items()]
        lines[-1] = lines[-1].removesuffix(",")
        lines.append("},")
    lines[-1] = "}"
    lines += ['},"patient":', json.dumps(made["patient"]), ',"targets":{']
    lines += [f"{json.dumps(base)}:{json.dumps(row)}," for base, row in made["targets"].items()]
    lines[-1] = lines[-1].removesuffix(",") + "}"
    for name in ("always", "summary"):
        lines.append(f',"{name}":{{')
        lines += [f"{json.dumps(base)}:{json.dumps(row)}," for base, row in made[name].items()]
        lines[-1] = lines[-1].removesuffix(",") + "}"
    lines.append("}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    OUTPUT.write_text(encoded(Path(sys.argv[1])))

"""Records of a real database made again, after the overlays, the code or the rows changed."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from adapters.hl7v2.datatypes import DATATYPES
from bridge.core.ids import sha256
from bridge.core.proof.report import Check, Verdict
from bridge.flows.fsck import fsck
from bridge.flows.receive import Inbound, Received, receive
from bridge.flows.rederive import Rederived
from bridge.flows.write import Ports, receive_and_project
from bridge.settings import load
from bridge.store.database import Database
from bridge.store.packing import pack
from workers.history import deriving, rederived
from workers.wiring import Services

OVERLAY = """
match = { "MSH-3" = "ACMELAB" }
namespace = "https://acme.example/fhir"
zone = "Europe/Vienna"
[[add]]
from = "ZPI-2"
to = "Patient.extension[]"
as = "py:site.acme.tier"
url = "https://acme.example/fhir/tier"
"""
FUNCTIONS = """
from adapters.hl7v2.site import gives
@gives("string")
def tier(text, ctx):
    return "tier " + text
"""
MESSAGE = (
    b"MSH|^~\\&|ACMELAB|NORTH|||202601020800||ADT^A08|%d|P|2.5\r"
    b"PID|1||17^^^H||Doe^Jo||19800101\rPV1|1|I|W^1^2\rZPI|1|gold\r"
)
OTHERWISE = OVERLAY.replace("Europe/Vienna", "America/Chicago").partition("[[add]]")[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The senders' folder, with a function of the site's own."""
    (tmp_path / "site").mkdir(mode=0o755)
    (tmp_path / "acme.toml").write_text(OVERLAY)
    (tmp_path / "site" / "acme.py").write_text(FUNCTIONS)
    return tmp_path


@pytest.fixture
def node(clean: Database, database_url: str, folder: Path) -> Iterator[Callable[[], Services]]:
    """Starts the node, again after each change of the folder."""
    del clean
    made: list[Services] = []

    def start() -> Services:
        settings = load(
            environment={},
            overrides={
                "data": str(folder / "data"),
                "store.url": database_url,
                "senders.folder": str(folder),
            },
        )
        made.append(Services(settings))
        return made[-1]

    yield start
    for services in made:
        services.database.close()


def stored(services: Services, number: int = 1) -> Received:
    """One message received."""
    one = Inbound(raw=MESSAGE % number, feed="test/1", number=number)
    (received,) = receive(
        [one],
        dialect=services.hl7v2,
        intake=services.intake,
        clock=services.clock,
        entropy=services.entropy,
    )
    assert received.status == "stored"
    return received


def check(found: Rederived, name: str) -> Check:
    """One check by its name."""
    return next(one for one in found.checks if one.name == name)


def sql(services: Services, statement: str, **values: object) -> None:
    """What an administrator could do."""
    with services.database.unit():
        services.database.connection.execute(text(statement), values)


def test_old_record_is_made_again_after_its_overlay_changed(
    node: Callable[[], Services], folder: Path
) -> None:
    """Zone, name space and rows are those of then; the new records have another mapping."""
    first = stored(node())
    (folder / "acme.toml").write_text(OTHERWISE)
    second = stored(services := node(), 2)

    found = [rederived(services, one.record) for one in (first, second)]

    assert [one.verdict for one in found] == [Verdict.UNCHANGED, Verdict.UNCHANGED]
    assert first.bundle
    assert second.bundle
    assert first.bundle.mapping != second.bundle.mapping
    assert b"tier gold" in first.bundle.canonical
    assert check(found[0], "conversion").detail.startswith("the same ")
    with services.mappings.unit():
        kept = dict(services.mappings.documents())
    assert set(kept) == {first.bundle.mapping, second.bundle.mapping}
    assert all(sha256(document) == digest for digest, document in kept.items())


def test_function_file_that_changed_is_not_an_accusation(
    node: Callable[[], Services], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file of then is asked for; code never comes out of the database."""
    first = stored(node())
    (folder / "site" / "acme.py").write_text(FUNCTIONS.replace("tier ", "level "))
    for name in [name for name in DATATYPES if name.startswith("py:")]:
        monkeypatch.delitem(DATATYPES, name)  # as in a process that starts now

    found = rederived(node(), first.record)

    assert found.verdict is Verdict.CANNOT_SAY
    assert "py:site.acme.tier, whose file is not in the senders' folder as it was" in check(
        found, "conversion").detail  # fmt: skip


def test_code_that_moved_on_is_said(node: Callable[[], Services]) -> None:
    """A record of another version of the rules: cannot say, and who could."""
    services = node()
    first = stored(services)
    assert first.bundle
    with services.mappings.unit():
        document = services.mappings.document(first.bundle.mapping) or b""
    told = json.loads(document)
    told["code"] = "ab" * 32
    told["versions"]["XPN.HumanName"] += 1
    told["profile"]["zone"] = "America/Chicago"  # so that it makes another bundle
    older = json.dumps(told).encode()
    sql(services, "INSERT INTO mapping VALUES (:digest, :document)",
        digest=sha256(older), document=older)  # fmt: skip
    sql(services, "UPDATE record SET mapping = :digest", digest=sha256(older))

    conversion = check(rederived(services, first.record), "conversion")

    assert conversion.ok is None
    assert "made by rules version abababababab, this node runs" in conversion.detail
    assert "XPN.HumanName 2 to 1" in conversion.detail or "XPN.HumanName" in conversion.detail


def test_changed_bundle_and_source_are_named(node: Callable[[], Services]) -> None:
    """What no longer leads to the leaf, and the first element that differs; never a value."""
    services = node()
    first = stored(services)
    assert first.bundle is not None
    changed = first.bundle.canonical.replace(b"1980-01-01", b"1981-01-01")
    sql(services, "UPDATE record SET bundle = :bundle", bundle=pack(changed))

    found = rederived(services, first.record)

    assert found.verdict is Verdict.CHANGED
    assert check(found, "sealed").detail.startswith("claim bundle: the bundle was changed")
    assert check(found, "conversion").detail.startswith("the same rules make another bundle, from")
    assert check(found, "conversion").detail.endswith("resource.birthDate on")
    assert "1981" not in str(found)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM mapping", "no document of sha256:"),
        ("UPDATE mapping SET document = 'x'", "was changed"),
    ],
)
def test_lost_or_forged_mapping_makes_no_verdict(
    node: Callable[[], Services], statement: str, said: str
) -> None:
    """Nothing is made with rules that are not those of the digest."""
    services = node()
    first = stored(services)
    sql(services, statement)

    found = rederived(services, first.record)

    assert found.verdict is Verdict.CANNOT_SAY
    assert said in check(found, "mapping").detail


def test_fhir_writes_are_made_again(node: Callable[[], Services]) -> None:
    """A body with the request that HTTP said; a conditional one was answered by the database."""
    services = node()
    body = b'{"resourceType":"Patient","identifier":[{"system":"urn:x","value":"1"}]}'
    conditional = (
        b'{"resourceType":"Bundle","type":"transaction","entry":[{"resource":' + body
        + b',"request":{"method":"POST","url":"Patient","ifNoneExist":"identifier=urn:x|1"}}]}'
    )  # fmt: skip
    inputs = (
        (body, (("method", "POST"), ("url", "Patient"))),
        (body, (("method", "PUT"), ("url", "Patient?identifier=urn:x|9"))),
        (conditional, ()),
    )

    found = []
    for number, (raw, request) in enumerate(inputs, 1):
        inbound = Inbound(raw=raw, feed="http/1", number=number, sender="s", request=request)
        record = receive_and_project(inbound, _ports(services)).received.record
        found.append(rederived(services, record))

    assert [one.verdict for one in found] == [
        Verdict.UNCHANGED, Verdict.UNCHANGED, Verdict.CANNOT_SAY,
    ]  # fmt: skip
    assert "its conditions were answered" in check(found[2], "conversion").detail


def test_fsck_converts_again_where_it_is_asked(node: Callable[[], Services]) -> None:
    """A bundle that an administrator sealed anew is not what its rules make of its source."""
    services = node()
    stored(services)

    assert _fsck(services) is None
    sql(services, "UPDATE mapping SET document = 'x'")
    assert "its document was changed" in str(_fsck(services))


def _fsck(services: Services) -> object:
    done = fsck(
        stored=services.stored,
        book=services.book,
        verifiers=(),
        transaction=lambda _attempt: None,
        progress=lambda _name, _done: None,
        derive=deriving(services),
    )
    assert dict(done.underived) == {} or done.difference
    return done.difference


def _ports(services: Services) -> Ports:
    return Ports(dialect=services.fhir, intake=services.intake, versions=services.versions,
                 clock=services.clock, entropy=services.entropy)  # fmt: skip

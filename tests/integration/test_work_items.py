"""Codes that nobody mapped become work, and an overlay is previewed on what is stored."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from bridge.flows.receive import Inbound, receive
from bridge.settings import load
from bridge.store.database import Database
from tests.served_api import TOKENS, InLoop, tokens_file
from workers import main as console
from workers.asgi import application
from workers.wiring import Services

OVERLAY = """
match = { "MSH-3" = "ACMELAB" }
namespace = "https://acme.example/fhir"
unmapped_code = "task"
[tables.loinc]
GLU = ["http://loinc.org", "2345-7", "Glucose"]
[[replace]]
id = "OBX-3"
table = "local:loinc"
"""
MESSAGE = (
    "MSH|^~\\&|ACMELAB|NORTH|||202601020800+0000||ORU^R01|{number}|P|2.5\r"
    "PID|1||17^^^H||Doe^Jo\rOBR|1||F1|X\rOBX|1|NM|{code}||5|mg||N|||F\rZPI|1|gold\r"
)


@pytest.fixture
def services(clean: Database, database_url: str, tmp_path: Path) -> Iterator[Services]:
    """A node whose sender makes tasks of unmapped codes."""
    del clean
    senders = tmp_path / "senders"
    senders.mkdir()
    (senders / "acme.toml").write_text(OVERLAY)
    settings = load(
        environment={},
        overrides={
            "data": str(tmp_path),
            "store.url": database_url,
            "senders.folder": str(senders),
            "access.tokens_file": str(tokens_file(tmp_path)),
        },
    )
    made = Services(settings)
    made.signer  # noqa: B018 - the log key is what a node is known by
    yield made
    made.database.close()


@pytest.fixture
def client(services: Services) -> Iterator[Callable[[str], httpx.Client]]:
    """Clients of its API by role."""
    transport = InLoop(application(services, wake=lambda: None))
    yield lambda role: httpx.Client(
        transport=transport,
        base_url="http://node.test",
        headers={"Authorization": f"Bearer {TOKENS[role]}"},
    )
    transport.stop()


@pytest.fixture
def run(
    services: Services, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """A command of this node: its exit code and what it says."""
    for name, value in services.settings.as_environment().items():
        monkeypatch.setenv(name, value)

    def command(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["fhir-anchor", *arguments])
        with pytest.raises(SystemExit) as left:
            console.main()
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out + said.err

    return command


def store(services: Services, *codes: str) -> None:
    """A message each."""
    inputs = [
        Inbound(raw=MESSAGE.format(number=f"{code}{number}", code=code).encode(), feed="test/1",
                number=number)
        for number, code in enumerate(codes, 1)
    ]  # fmt: skip
    receive(inputs, dialect=services.hl7v2, intake=services.intake, clock=services.clock,
            entropy=services.entropy)  # fmt: skip


def test_unmapped_codes_are_counted_listed_and_closed(
    services: Services, client: Callable[[str], httpx.Client]
) -> None:
    """The most frequent first; one that is mapped opens again when its code returns."""
    store(services, "NA", "NA", "K", "GLU")
    officer = client("compliance")

    first, second = officer.get("/work-items").json()["items"]
    assert [first[key] for key in ("sender", "field", "system", "code", "times", "state")] == [
        "acme", "OBX-3", "", "NA", 2, "open",
    ]  # fmt: skip
    assert first["first"] != first["last"]
    done = officer.post(f"/work-items/{first['item']}", json={"state": "mapped", "reason": "in"})
    officer.post(f"/work-items/{second['item']}", json={"state": "dismissed", "reason": "no"})
    assert (done.json()["state"], done.json()["reason"]) == ("mapped", "compliance: in")
    assert officer.get("/work-items").json() == {"items": []}

    store(services, "NA")
    found = officer.get("/work-items?state=any&sender=acme").json()["items"]
    assert [(one["code"], one["times"], one["state"]) for one in found] == [
        ("NA", 2, "mapped"),
        ("K", 1, "dismissed"),
    ]  # fmt: skip  the same bytes again are no new message
    store(services, "K", "NA", "NA", "NA")
    assert [one["code"] for one in officer.get("/work-items").json()["items"]] == ["NA"]


def test_only_those_who_oversee_see_and_close(client: Callable[[str], httpx.Client]) -> None:
    """A sender learns nothing of others; mistakes are named."""
    officer = client("compliance")
    closing = {"state": "mapped", "reason": "x"}

    assert client("sender").get("/work-items").status_code == 403
    assert client("reader").post("/work-items/1", json=closing).status_code == 403
    assert officer.post("/work-items/99999999999999999999", json=closing).status_code == 404
    assert officer.post("/work-items/1", json={**closing, "reason": " "}).status_code == 400
    assert officer.post("/work-items/1", json={**closing, "state": "no"}).status_code >= 400
    assert officer.get("/work-items?state=gone").status_code == 400


def test_work_items_on_the_command_line(
    services: Services, run: Callable[..., tuple[int, str]]
) -> None:
    """A JSON line an item; closing says what it is now."""
    store(services, "NA")

    code, said = run("map", "tasks", "--sender", "acme")
    item = json.loads(said)
    assert (code, item["code"], item["times"]) == (0, "NA", 1)
    code, said = run("map", "close", str(item["id"]), "--as", "mapped", "--because", "2951-2")
    assert (code, json.loads(said)["reason"]) == (0, "operator: 2951-2")
    assert run("map", "tasks") == (0, "")
    code, said = run("map", "close", "999", "--as", "mapped", "--because", "x")
    assert (code, "there is no such work item" in said) == (1, True)


def test_overlay_is_previewed_on_stored_messages(
    services: Services, run: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    """Elements and counts, no value of any message; exit 1 where something differs."""
    store(services, "NA", "K", "GLU")
    new = tmp_path / "acme-new.toml"
    new.write_text(OVERLAY.replace("[tables.loinc]",
                   '[tables.loinc]\nNA = ["http://loinc.org", "2951-2", "Sodium"]'))  # fmt: skip

    code, said = run("map", "diff", "acme", str(new))

    assert code == 1
    assert said.splitlines()[0] == "1 of 3 stored messages of acme come out otherwise"
    assert "     1  ~ Observation.code.coding[].code" in said.splitlines()
    assert "2951" not in said
    assert "Doe" not in said
    assert run("map", "diff", "acme", "acme")[0] == 0
    code, said = run("map", "diff", "acme", str(new), "--last", "1")
    assert said == "0 of 1 stored messages of acme come out otherwise\n"


def test_coverage_of_stored_messages(
    services: Services, run: Callable[..., tuple[int, str]]
) -> None:
    """What nothing read of the last messages of a sender."""
    store(services, "NA", "K", "GLU")

    code, said = run("map", "coverage", "--sender", "acme")

    assert code == 0
    assert "     3 of 3  ZPI-2" in said.splitlines()
    assert run("map", "coverage", "--sender", "acme", "--last", "2")[1].count(" of 2 ") > 1
    code, said = run("map", "coverage", "--sender", "nobody")
    assert (code, "stored no HL7v2 message of nobody" in said) == (1, True)

"""The verifier's own wheel, in an environment that holds nothing else than what it asks for."""

import json
import re
import subprocess
import sys
import zipfile
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest

from tests.fakes import sealed

FOLDER = Path(__file__).resolve().parents[2] / "bridge" / "cli" / "verifier"
ASKED_FOR = {"cryptography", "msgspec", "typer"}
START = "import sys; sys.path[:0] = {paths!r}; from bridge.cli.verify import main; main()"


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the unpacked wheel and its dependencies, theirs too, and nothing else."""
    made = tmp_path_factory.mktemp("verifier")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(made / "dist")]
    subprocess.run(build, cwd=FOLDER, check=True, capture_output=True)
    (wheel,) = (made / "dist").glob("fhir_anchor_verify-*.whl")
    zipfile.ZipFile(wheel).extractall(made / "site")
    (here,) = (made / "site").glob("*.dist-info")
    for name in _needed(Distribution.at(here), set()):
        _linked(distribution(name), made / "site")
    return made / "site"


def _needed(one: Distribution, found: set[str]) -> set[str]:
    """By name, with theirs; what only other systems or extras need is not installed here."""
    for requirement in one.requires or ():
        name, marker = re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower(), requirement
        if "extra ==" in marker or "_system" in marker or "sys_platform" in marker:
            continue
        if name in found:
            continue
        found.add(name)
        _needed(distribution(name), found)
    return found


def _linked(one: Distribution, site: Path) -> None:
    """The distribution's top folders and modules, by a link each."""
    for top in {file.parts[0] for file in one.files or () if file.parts[0] != ".."}:
        target = Path(str(one.locate_file(top)))
        if not (site / top).exists():
            (site / top).symlink_to(target)


def _run(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = START.format(paths=[str(site)])
    command = [sys.executable, "-I", "-S", "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Receipt, document, and trust with and without the block's hash."""
    world = sealed.World()
    receipt, trust = world.record_receipt(), json.loads(sealed.trust_text())
    anchor = receipt["anchors"][0]
    block = {"chain": anchor["chain"], "number": anchor["block_number"]}
    known = trust | {"block": [block | {"hash": anchor["block_hash"]}]}
    made = {
        "receipt": sealed.dumped(receipt),
        "document": sealed.DOCUMENT,
        "changed": sealed.DOCUMENT.replace(b"P", b"p"),
        "trust": json.dumps(trust).encode(),
        "known": json.dumps(known).encode(),
    }
    for name, data in made.items():
        (tmp_path / name).write_bytes(data)
    return {name: str(tmp_path / name) for name in made}


def test_wheel_asks_for_three_things() -> None:
    """Whatever else the product needs."""
    text = (FOLDER / "pyproject.toml").read_text("utf-8")
    needed = text.partition("[project.optional-dependencies]")[0]

    assert set(re.findall(r'"(\w+)>=[\d.]+"', needed)) == ASKED_FOR


@pytest.mark.parametrize(
    ("given", "outcome"),
    [
        (("document", "trust"), ("unchanged", 2, 0)),
        (("document", "known"), ("unchanged", 4, 0)),
        (("changed", "known"), ("changed", 0, 1)),
    ],
    ids=["offline", "header-only", "changed"],
)
def test_receipt_is_verified_without_the_product(
    alone: Path, files: dict[str, str], given: tuple[str, str], outcome: tuple[str, int, int]
) -> None:
    """No database, no node, no web3: by the receipt, and a block's hash where one is known."""
    document, trust = (files[name] for name in given)

    done = _run(alone, files["receipt"], document, "--trust", trust, "--json")

    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    assert (report["verdict"], report["level"], done.returncode) == outcome, done.stderr


def test_usage_error_is_one_line(alone: Path) -> None:
    """And exit 2."""
    done = _run(alone, "--nonsense")

    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr


def test_server_cannot_be_imported_there(alone: Path) -> None:
    """What the verifier needs is all that is there."""
    code = f"import sys; sys.path[:0] = [{str(alone)!r}]; import sqlalchemy"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False
    )

    assert "No module named 'sqlalchemy'" in done.stderr

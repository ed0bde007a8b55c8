"""The story, told by the command that a person types."""

import json

from tests.scenarios.node import command, node_folder


def test_the_demo_proves_a_record_and_catches_two_lies() -> None:
    """`demo --json` says one object with every figure and the three outcomes."""
    with node_folder() as folder:
        done = command("demo", "--data", str(folder / "demo"), "--json")

        assert done.returncode == 0, done.stderr
        story = json.loads(done.stdout)
        assert {key: type(value).__name__ for key, value in story.items()} == {
            "messages": "int",
            "records": "int",
            "resources": "int",
            "checkpoint_size": "int",
            "root": "str",
            "chain_id": "int",
            "contract": "str",
            "tx": "str",
            "verified": "bool",
            "tamper_detected": "bool",
            "rewrite_detected": "bool",
            "seconds": "float",
        }
        assert (story["verified"], story["tamper_detected"], story["rewrite_detected"]) == (
            True,
            True,
            True,
        )
        assert story["messages"] == story["records"] == 49
        assert story["checkpoint_size"] >= 2 * story["records"]


def test_a_folder_that_is_in_use_is_refused() -> None:
    """A demo rewrites history: it asks for a fresh folder, in one line."""
    with node_folder() as folder:
        (folder / "something").touch()

        done = command("demo", "--data", str(folder))

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"fhir-anchor: the folder is not empty ({folder}) - name a fresh folder; "
        "a demo ends with a rewritten history\n"
    )

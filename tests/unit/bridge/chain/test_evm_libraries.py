"""What importing other people's code does to the process."""

import subprocess
import sys

import pytest

PARSE = """
import sys
import msgspec
before = sys.getrecursionlimit()
import {module}
assert sys.getrecursionlimit() == before, sys.getrecursionlimit()
for opened in (b"[", b'{{"a":'):
    try:
        msgspec.json.decode(opened * 1_000_000)
    except (RecursionError, msgspec.DecodeError):
        continue
    raise AssertionError("nested text was parsed")
"""


@pytest.mark.parametrize(
    "module",
    [
        "bridge.chain.account",
        "bridge.chain.endpoint",
        "bridge.chain.recount",
        "bridge.chain.deploy",
        "workers.anchoring",
        "workers.asgi",
        "workers.tasks",
    ],
)
def test_nested_text_is_refused_after_the_import(module: str) -> None:
    """One nested body would end the process of whoever may post: 100,000 frames fit no stack."""
    run = subprocess.run(
        [sys.executable, "-c", PARSE.format(module=module)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip

    assert (run.returncode, run.stderr) == (0, "")

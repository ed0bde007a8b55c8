"""What importing other people's code does to the process."""

import subprocess
import sys

PARSE = """
import sys
import msgspec
before = sys.getrecursionlimit()
import workers.anchoring, workers.asgi, workers.tasks, bridge.chain.deploy
assert sys.getrecursionlimit() == before, sys.getrecursionlimit()
for opened in (b"[", b'{"a":'):
    try:
        msgspec.json.decode(opened * 1_000_000)
    except RecursionError:
        continue
    raise AssertionError("nested text was parsed")
"""


def test_nested_text_is_refused_by_a_process_that_anchors() -> None:
    """One nested body would end the process of whoever may post: 100,000 frames fit no stack."""
    run = subprocess.run(
        [sys.executable, "-c", PARSE], capture_output=True, text=True, timeout=120, check=False
    )

    assert (run.returncode, run.stderr) == (0, "")

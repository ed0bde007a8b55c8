"""Instructions of the interpreter that some work takes.

The same number on a busy machine and an idle one, so that two versions can be compared anywhere.
"""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

__all__ = ["steps"]


def steps(work: Callable[[bytes], object], raw: bytes) -> int:
    """How many; whoever traced before goes on afterwards."""
    count = 0

    def trace(frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work(raw)
    finally:
        sys.settrace(before)
    return count

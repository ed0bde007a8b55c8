"""Seconds of one core until all mappings are loaded: cold, with what passed the type check, more.

Run: `python tests/bench/load.py`. Each figure is of a process of its own.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TextIO

from bridge.settings import shipped

__all__ = ["main"]

MORE = 20
PROGRAM = """
import sys, time
began = time.process_time()
from bridge.settings import load
from workers.dialects import hl7v2_of
settings = load(environment={}, overrides={"data": sys.argv[1], "senders.folder": sys.argv[2]})
imported = time.process_time()
hl7v2_of(settings)
print(imported - began, time.process_time() - imported)
"""


def main(out: TextIO) -> None:
    """Print a line a case."""
    overlay = (shipped("senders") / "labx.toml").read_text("utf-8")
    with tempfile.TemporaryDirectory() as folder:
        data, one, many = (Path(folder) / name for name in ("data", "one", "many"))
        for path in (data, one, many):
            path.mkdir()
        (one / "labx.toml").write_text(overlay)
        for number in range(1 + MORE):
            text = overlay.replace('"LABX"', f'"LAB{number}"')
            (many / f"lab{number}.toml").write_text(text)
        imported, cold = _load(data, one)
        _, known = _load(data, one)
        _load(data, many)
        _, more = _load(data, many)
    out.write(f"import of the program {imported:.2f} s\n")
    out.write(f"all maps and a sender, cold {cold:.2f} s; checked before {known:.2f} s\n")
    out.write(f"each further sender {(more - known) / MORE:.3f} s\n")


def _load(data: Path, senders: Path) -> tuple[float, float]:
    """Processor time of the import, and of loading what the folder has."""
    command = [sys.executable, "-c", PROGRAM, str(data), str(senders)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    imported, loaded = map(float, said.split())
    return imported, loaded


if __name__ == "__main__":
    main(sys.stdout)

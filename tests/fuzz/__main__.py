"""The long form: `python -m tests.fuzz --inputs 1000000`, or `--coverage` with atheris.

Stops at the first input that gives anything but a bundle or one clear refusal, and leaves it in a
file. `make fuzz` runs both.
"""

import argparse
import multiprocessing
import sys
import time
import traceback
from itertools import islice
from pathlib import Path

SLOW_S = 5.0
"""CPU time of one input of at most 20,000 bytes; the usual is a thousandth of it."""


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--coverage", action="store_true", help="guided by atheris")
    asked, rest = parser.parse_known_args()
    if asked.coverage:
        _guided(rest)
        return
    share = -(-asked.inputs // asked.processes)
    jobs = [(asked.seed + n, share, asked.seconds) for n in range(asked.processes)]
    with multiprocessing.Pool(asked.processes) as pool:
        done = pool.starmap(_run, jobs)
    total, bundles = (sum(one[at] for one in done) for at in (0, 1))
    slowest = max(one[2] for one in done)
    sys.stdout.write(f"{total} inputs, {bundles} bundles, slowest {slowest:.3f} s\n")


def _run(seed: int, inputs: int, seconds: float) -> tuple[int, int, float]:
    """Inputs tried, bundles made, CPU seconds of the slowest."""
    from tests.fuzz.mutants import attempt, mutants, seeds  # noqa: PLC0415 - see _guided

    end, bundles, slowest, done = time.monotonic() + seconds, 0, 0.0, 0
    for number, raw in enumerate(islice(mutants(seed, seeds()), inputs)):
        began = time.process_time()
        try:
            bundles += attempt(raw, traced=number % 8 == 0)
        except BaseException:
            file = Path(f"fuzz-{seed}-{number}.hl7")
            file.write_bytes(raw)
            sys.stderr.write(f"input {number} of seed {seed}, kept in {file}\n")
            traceback.print_exc()
            raise
        took = time.process_time() - began
        if took > SLOW_S:
            Path(f"slow-{seed}-{number}.hl7").write_bytes(raw)
        slowest, done = max(slowest, took), number + 1
        if time.monotonic() > end:
            break
    return done, bundles, slowest


def _guided(arguments: list[str]) -> None:
    """By coverage of our own code; arguments are libFuzzer's, such as -max_total_time=600."""
    import atheris  # noqa: PLC0415 - of the group `fuzz`, for Linux

    with atheris.instrument_imports(include=["adapters.hl7v2"]):
        from tests.fuzz.mutants import attempt, seeds  # noqa: PLC0415 - instrumented as it is imported

    def one(data: bytes) -> None:
        attempt(data, traced=data[-1:] == b"\r")

    folder = Path("fuzz-corpus")
    folder.mkdir(exist_ok=True)
    for number, raw in enumerate(seeds()):
        (folder / f"seed-{number}").write_bytes(raw)
    atheris.Setup([sys.argv[0], "-max_len=20000", *arguments, str(folder)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

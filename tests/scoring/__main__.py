"""`python -m tests.scoring`: recall over the corpus, and the facts that are most often missing."""

import sys
from collections import Counter
from pathlib import Path

from adapters.hl7v2.dialect import Hl7v2
from tests.scoring.facts import facts_of, load
from tests.scoring.judge import Judgement, counted, judge, positions, rules
from tests.scoring.pairs import Pair, convert, pairs_of

__all__: list[str] = []

ROWS = 60
"""Lines of each table: what one looks at in one sitting."""


def main(arguments: list[str]) -> None:
    """Print the report; an argument keeps only types that start with it, such as ORU."""
    wanted = arguments[0] if arguments else ""
    dialect, table = Hl7v2(), rules()
    judged: list[tuple[Pair, Judgement]] = []
    for pair in pairs_of(shared()):
        if pair.kind.startswith(wanted):
            ours = facts_of(load(convert(pair, dialect)))
            known = positions(pair.message)
            judged.append((pair, judge(facts_of(load(pair.expected)), ours, table, known)))
    report(judged)


def report(judged: list[tuple[Pair, Judgement]]) -> None:
    """Recall by type, by scope, rules by use, missing facts by position and element."""
    write = sys.stdout.write
    for kind in sorted({pair.kind for pair, _ in judged}):
        write(line(kind, [one for pair, one in judged if pair.kind == kind]))
    write(line("first scope", [one for pair, one in judged if pair.first_scope]))
    write(line("all", [one for _, one in judged]))
    write("\nexplained by\n")
    used = Counter(rule.reason for _, one in judged for _, rule in one.explained)
    for reason, count in used.most_common():
        write(f"{count:6} {reason}\n")
    for title, first in (("first scope", True), ("others", False)):
        write(f"\nmissing, {title}\n")
        some = [(one, positions(pair.message)) for pair, one in judged if pair.first_scope == first]
        for (source, element), count in counted(some).most_common(ROWS):
            write(f"{count:6} {source:10} {element}\n")


def line(name: str, judged: list[Judgement]) -> str:
    """One line of recall, bare and after explained disagreements."""
    found = sum(len(one.found) for one in judged)
    explained = sum(len(one.explained) for one in judged)
    missing = sum(len(one.missing) for one in judged)
    whole = found + explained + missing or 1
    rest = found + missing or 1
    return (
        f"{name:12} {len(judged):4} messages {whole:6} facts {100 * found / whole:5.1f} % found, "
        f"{100 * found / rest:5.1f} % after {explained} explained\n"
    )


def shared() -> Path:
    """The folder of samples beside the checkout."""
    for parent in Path(__file__).resolve().parents:
        if (parent / "shared" / "corpus").is_dir():
            return parent / "shared"
    raise SystemExit("../shared/corpus is absent: the corpus is not part of a clone")


if __name__ == "__main__":
    main(sys.argv[1:])

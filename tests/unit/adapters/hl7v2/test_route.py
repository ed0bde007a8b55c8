"""What runs for the segments of a message."""

from collections.abc import Callable

import pytest

from adapters.hl7v2.compiler.emit import Emitted, emit
from adapters.hl7v2.compiler.rows import parse_map
from adapters.hl7v2.dialect import Hl7v2
from adapters.hl7v2.grammar import shipped
from adapters.hl7v2.route import Routes

HEAD = 'segment = "OBX"\ntarget = "Observation"\n'


def routes(*heads: str, silent: frozenset[str] = frozenset()) -> tuple[Routes, list[Emitted]]:
    """Routes over maps of OBX that begin so."""
    made = [emit(parse_map("m", HEAD + head), {}, tracing=False) for head in heads]
    foreign = frozenset[str]().union(*(one.foreign for one in made))
    return Routes({"OBX": made}, foreign=foreign, silent=silent), made


def running(found: Routes, *names: str, event: tuple[str, str] = ("ORU", "R01")) -> list[object]:
    """What runs for the last of these segments."""
    lines = [[name] for name in names]
    stops = found.of(lines, shipped().structure("ORU_R01"), *event).stops
    return [*stops[-1][3]] if stops and stops[-1][0] == len(names) - 1 else []


@pytest.mark.parametrize(
    ("when", "runs"),
    [
        ("TXA-2 valued", ""),
        ("not TXA-2 valued", "apply"),
        ("code = 'MDM'", ""),
        ("code = 'ORU' or OBX-5 valued", "apply"),
        ("OBX-5 valued", "asked"),
        ("OBR-4 valued and lead = 'OBX'", "asked"),
        ("lead = 'SPM' and OBR-4 valued", ""),
        ("TXA-12.2 = 'X'", ""),
    ],
)
def test_condition_is_answered_before_a_message_is_read_where_it_can_be(
    when: str, runs: str
) -> None:
    """By the event, the group and the segments that are absent; else it is asked each time."""
    found, (made,) = routes(f'when = "{when}"')

    running_now = running(found, "MSH", "PID", "OBR", "OBX")

    assert running_now == ([getattr(made, runs)] if runs else [])


def test_map_of_other_groups_does_not_run() -> None:
    """`under` names the segments that open the groups of a map."""
    found, made = routes('under = ["SPM"]', 'under = ["OBX"]')

    assert running(found, "MSH", "PID", "OBR", "OBX") == [made[1].apply]


def test_segment_without_map_is_a_stop_unless_others_read_it() -> None:
    """It is reported once for each time it comes, and never lost in silence."""
    lines = [[name] for name in ("MSH", "PID", "ZZZ")]
    structure = shipped().structure("ORU_R01")

    missed = routes(silent=frozenset({"MSH", "PID"}))[0].of(lines, structure, "ORU", "R01")
    silent = routes(silent=frozenset({"MSH", "PID", "ZZZ"}))[0].of(lines, structure, "ORU", "R01")

    assert [stop[0] for stop in missed.stops] == [2]
    assert silent.stops == ()


def test_route_is_kept_for_its_event_and_names() -> None:
    """Another event, and another sequence, have another one."""
    found, _ = routes("")
    structure = shipped().structure("ORU_R01")
    lines = [["MSH"], ["PID"], ["OBR"], ["OBX"]]

    first = found.of(lines, structure, "ORU", "R01")

    assert found.of(lines, structure, "ORU", "R01") is first
    assert found.of(lines, structure, "ORU", "R32") is not first
    assert found.of(lines[:3], structure, "ORU", "R01") is not first


def test_names_that_a_stranger_varies_do_not_fill_the_memory() -> None:
    """Long messages are not kept, and the rest is dropped together when full."""
    found, _ = routes("")
    structure = shipped().structure("ORU_R01")
    long = [["MSH"], *[["OBX"]] * 300]

    for number in range(600):
        found.of([["MSH"], [f"Z{number:02}"[:4]]], structure, "ORU", "R01")

    assert found.of(long, structure, "ORU", "R01") is not found.of(long, structure, "ORU", "R01")
    assert len(found._kept) <= 512


def test_same_names_with_other_contents_go_by_what_they_say(
    dialect: Hl7v2, message: Callable[..., bytes]
) -> None:
    """A route says which conditions are open, never how a message answers them."""
    plain = message("SIU^S12", "SCH|1|2", "RGS|1", "AIG|1||N1^Nurse")
    dropped = message("SIU^S12", "SCH|1|2", "RGS|1", "AIG|1|D|N1^Nurse")

    first = [dialect.convert(raw, sender="").canonical for raw in (plain, dropped, plain)]
    fresh = Hl7v2()
    second = [fresh.convert(raw, sender="").canonical for raw in (dropped, plain, dropped)]

    assert first == [second[1], second[0], second[1]]
    assert first[0] != first[1]

"""Silence is noticed, and work is not taken for silence."""

from workers.hearing import BUSY_S, QUIET_S, Hearing


class _Clock:
    """Moved by hand."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def test_a_worker_that_hears_beat_is_well() -> None:
    """A wake-up now and then is enough, for ever."""
    clock = _Clock()
    hearing = Hearing(clock)

    for _ in range(100):
        clock.at += QUIET_S
        assert not hearing.is_deaf(working=False)
        hearing.hear(sender=None, request=None)


def test_silence_is_deafness_unless_there_is_work() -> None:
    """A long task takes no wake-ups; but no task is that long."""
    clock = _Clock()
    hearing = Hearing(clock)

    clock.at += QUIET_S + 1
    assert hearing.is_deaf(working=False)
    assert not hearing.is_deaf(working=True)

    clock.at += BUSY_S
    assert hearing.is_deaf(working=True)

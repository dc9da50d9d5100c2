"""Peak memory is the command's own, not that of the process that started it."""

import sys

import pytest

from bench.watch import MIB, run


def test_peak_memory_is_that_of_the_command() -> None:
    ballast = b"x" * (200 * MIB)  # held here while a small process runs
    small = run([sys.executable, "-c", "import time; time.sleep(0.3)"])
    assert small.peak_bytes < 60 * MIB
    large = run([sys.executable, "-c", "import time; kept = b'x' * (120 << 20); time.sleep(0.3)"])
    assert 120 * MIB < large.peak_bytes < 200 * MIB
    del ballast


def test_what_is_said_as_json_is_kept_and_a_failure_is_told() -> None:
    cost = run([sys.executable, "-c", "print('{\"stage\": \"clean\"}'); print('not json')"])
    assert [words for _, words in cost.said] == [{"stage": "clean"}]
    with pytest.raises(RuntimeError, match="no such luck"):
        run([sys.executable, "-c", "import sys; sys.exit('no such luck')"])

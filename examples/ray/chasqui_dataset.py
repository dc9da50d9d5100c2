"""A dataset by Ray Data: actors on whatever machines there are, each calling what the local processes call."""

from __future__ import annotations

import sys

from chasqui import dataset
from chasqui.run.ray import runner


def main(source: str, out: str) -> int:
    """Make the dataset, and say what it holds."""
    made = dataset(source, out=out, runner=runner())
    print(f"{made.recordings} recordings, {made.duration_s / 3600:.2f} h, {made.refused} refused: {made.folder}")
    return made.exit_code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))

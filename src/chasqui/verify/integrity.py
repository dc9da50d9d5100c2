"""Do the published bytes open, decode to the end, and last exactly as long as the master?"""

from __future__ import annotations

from pathlib import Path

from chasqui.errors import PromiseBroken
from chasqui.media import ogg
from chasqui.records import Master


def check_pages(path: Path, master: Master) -> None:
    """Every page's checksum, their numbering, and the end position.

    Raises:
        PromiseBroken: the container is not what we meant to write.
    """
    sequence, granule, last = 0, 0, False
    with path.open("rb") as file:
        try:
            for page in ogg.read(file):
                if page.sequence != sequence or page.first != (sequence == 0) or last or page.granule < granule:
                    raise ValueError(f"page {sequence} is out of order")
                sequence, granule, last = sequence + 1, page.granule, page.last
        except ValueError as error:
            raise PromiseBroken(why=str(error)) from error
    if not last or granule != ogg.PRE_SKIP + master.samples:
        raise PromiseBroken(why="the stream does not end where the master ends")

"""Turns what the file system says into our own errors, in one place."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chasqui.errors import DiskFull, NotWritable, StoreBusy

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
#: ENOENT while writing: a folder that cannot be made (below /proc) or that somebody took away.
REFUSED = frozenset(
    {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ENAMETOOLONG}
    | {errno.ENOENT, errno.ELOOP}
)

#: Another process holds the cache only for the microseconds of one insert; half a minute means that the machine sleeps.
BUSY_S = 30.0


@contextmanager
def disk(path: Path | str) -> Iterator[None]:
    """Around code that writes under `path`.

    Raises:
        StoreBusy: the cache of scores stayed locked by another process.
        DiskFull: no space or quota left (files larger than the file system allows count too).
        NotWritable: the file system refuses us, for ever as far as we can know.
    """
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise DiskFull(path=str(path)) from error
        if error.errno in REFUSED:
            raise NotWritable(path=str(path), why=(error.strerror or str(error)).lower()) from error
        raise
    except sqlite3.OperationalError as error:
        code = error.sqlite_errorcode & 0xFF  # without the extension that says where in SQLite it happened
        if code == sqlite3.SQLITE_FULL:
            raise DiskFull(path=str(path)) from error
        if code == sqlite3.SQLITE_BUSY:
            raise StoreBusy(what=str(path), limit_s=BUSY_S) from error
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
            raise NotWritable(path=str(path), why=str(error)) from error
        raise

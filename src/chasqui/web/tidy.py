"""What a server that was ended in the middle left in the folder of files on their way in; what closed schools left."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from chasqui.catalog import schools, uploads
from chasqui.errors import ChasquiError
from chasqui.web.incoming import Incoming

if TYPE_CHECKING:
    from flask import Flask

    from chasqui.catalog.tables import Upload

log = logging.getLogger("chasqui.web")


def finish(app: Flask) -> list[str]:
    """Make lessons of files that were whole already; the ids of their uploads. Before the server listens."""
    from chasqui.web.api.uploads import finish as made

    finished = []
    with app.app_context():
        for upload in uploads.unfinished(app.extensions["catalog"]):
            if not _whole(app, upload):
                continue
            try:
                made(upload)
            except ChasquiError as error:  # tried again when its owner asks; it must not keep the server from starting
                log.warning("the upload %s cannot be finished: %s", upload.id, error)
            else:
                finished.append(upload.id)
    return finished


def clear(app: Flask) -> list[str]:
    """Throw away what expired, and files that belong to no upload under way; their ids."""
    catalog, incoming = app.extensions["catalog"], _incoming(app)
    gone = []
    for upload_id in uploads.expired(catalog):
        if uploads.end(catalog, upload_id):
            incoming.drop(upload_id)
            gone.append(upload_id)
    there = incoming.strays(set())  # looked at first: an upload that begins meanwhile is not among them
    known = {upload.id for upload in uploads.unfinished(catalog)}
    for stray in sorted(set(there) - known):
        incoming.drop(stray)
        gone.append(stray)
    return gone


def forget(app: Flask) -> list[str]:
    """Take away what is left of schools that were closed long ago; their ids. Files first: while there are rows, a
    server that was ended in between begins again.
    """
    catalog, stores = app.extensions["catalog"], app.extensions["stores"]
    gone = []
    for school_id in schools.due(catalog):
        try:
            stores(school_id).empty()
        except ChasquiError as error:  # a bucket that is away; in a minute again
            log.warning("the files of the school %s cannot be removed: %s", school_id, error)
            continue
        schools.forget(catalog, school_id)
        gone.append(school_id)
    return gone


def misplaced(app: Flask) -> list[str]:
    """Recordings of an earlier build, which kept those of all schools together. Nobody finds them there."""
    root = app.extensions["stores"].root
    try:
        found: list[str] = root.recordings()
    except ChasquiError as error:  # it need not be there yet
        log.warning("the store cannot be looked into: %s", error)
        return []
    if found:
        log.warning("%s holds %d recordings of no school: docs/serve.md, A store for each school", root.url, len(found))
    return found


def _whole(app: Flask, upload: Upload) -> bool:
    """All bytes are here, or in the store already."""
    if _incoming(app).path(upload.id).exists():
        return _incoming(app).size(upload.id) == upload.bytes
    known = upload.recording_id
    return known is not None and app.extensions["stores"](upload.school_id).key(known, "request") is not None


def _incoming(app: Flask) -> Incoming:
    return Incoming(app.extensions["service"].incoming)

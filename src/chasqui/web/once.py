"""Idempotency keys: a POST sent again with the same key, because nobody knows whether it arrived, is answered as
it was the first time and done once.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from tempfile import gettempdir
from typing import Any

from flask import Response, json, make_response, request
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from chasqui.catalog import Catalog
from chasqui.catalog.tables import Answered
from chasqui.errors import BadUpload, OtherRequest, UploadBusy
from chasqui.store.guard import disk

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
#: Answers are kept for a day: programs try again within minutes.
KEPT_S = 86_400.0
#: What is still "being answered" after this belongs to a server that was ended.
LOST_S = 300.0
LONGEST = 200
PLAIN = re.compile(f"[!-~]{{1,{LONGEST}}}")  # what any proxy leaves as it is


def once(catalog: Catalog, person_id: str, view: Callable[[], Any]) -> Response:
    """The answer of the view; the one of the first time, if this key was used for the same request before.

    Raises:
        OtherRequest: the key was used for something else.
        UploadBusy: the first one is still being answered.
    """
    key = request.headers[HEADER]
    if not PLAIN.fullmatch(key):
        raise BadUpload(why=f"{HEADER} has 1 to {LONGEST} characters")
    if (known := _begin(catalog, person_id, key)) is not None:
        return known
    try:
        response = make_response(view())
    except BaseException:
        _forget(catalog, person_id, key)  # nothing was done: the next try may do it
        raise
    if response.status_code >= 500 or not response.is_json:
        _forget(catalog, person_id, key)
        return response
    with catalog.writing() as db:
        row = db.get_one(Answered, (person_id, key))
        row.status, row.body = response.status_code, response.get_json()
    return response


def _begin(catalog: Catalog, person_id: str, key: str) -> Response | None:
    wanted = _hash()
    try:
        with catalog.writing() as db:
            old = time.time() - KEPT_S
            db.execute(delete(Answered).where(Answered.person_id == person_id, Answered.created_s < old))
            row = db.get(Answered, (person_id, key), with_for_update=True)
            if row is None or (row.status is None and row.created_s < time.time() - LOST_S):
                if row is not None:
                    db.delete(row)
                    db.flush()
                db.add(Answered(person_id=person_id, key=key, request_hash=wanted))
                return None
    except IntegrityError as error:  # two at the very same moment
        raise UploadBusy() from error
    if row.request_hash != wanted:
        raise OtherRequest(why=key)
    if row.status is None:
        raise UploadBusy()
    response = Response(json.dumps(row.body), row.status, mimetype="application/json")
    response.headers[REPLAYED] = "true"
    return response


def _forget(catalog: Catalog, person_id: str, key: str) -> None:
    with catalog.writing() as db:
        db.execute(delete(Answered).where(Answered.person_id == person_id, Answered.key == key))


def _hash() -> str:
    """Of all that was asked: tus says in headers what others say in bodies."""
    said = [request.headers.get(name, "") for name in ("Upload-Length", "Upload-Metadata")]
    body = request.get_data(cache=True) if request.is_json else _form()
    asked = "\0".join((request.method, request.full_path, *said)).encode()
    return hashlib.sha256(b"\0".join((asked, body))).hexdigest()


def _form() -> bytes:
    """A hash of the fields and files of a form: it is written anew each time, with another boundary."""
    hashed = hashlib.sha256(repr(sorted(map(repr, request.form.items(multi=True)))).encode())
    with disk(gettempdir()):
        for name, file in request.files.items(multi=True):
            hashed.update(f"\0{name}\0{file.filename}\0".encode())
            while block := file.stream.read(1 << 20):
                hashed.update(block)
            file.stream.seek(0)
    return hashed.digest()

"""What all routes of accounts hang on."""

from __future__ import annotations

from flask_openapi3 import APIBlueprint, Tag

api = APIBlueprint("accounts", __name__, url_prefix="/api/v1", abp_tags=[Tag(name="accounts")])

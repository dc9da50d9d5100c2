"""Folders of datasets: what they hold is not what was expected."""

# ruff: noqa: N818 - see `base.py`
from __future__ import annotations

from chasqui.errors.base import ChasquiError


class BadDataset(ChasquiError):
    exit_code = 82
    text = "The dataset {path} cannot be used: {why}."


class NewerDataset(BadDataset):
    exit_code = 83
    text = (
        "The dataset {path} was written by a newer Chasqui (schema {found}; this one knows up to {known}). "
        "Update Chasqui, or give another folder."
    )

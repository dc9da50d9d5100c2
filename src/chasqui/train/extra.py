"""The packages that only training needs, and what to do when one is not there."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from chasqui.errors import BadConfig


def need(module: str, install: str = "chasqui[train]") -> Any:
    """A module of an optional package.

    Raises:
        BadConfig: it is not installed; the message says how to get it.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise BadConfig(why=f"the package {module} is needed for this: pip install '{install}'") from error

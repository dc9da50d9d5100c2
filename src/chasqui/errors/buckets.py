"""Buckets: who is let in, and whether the bytes that came are the ones that were meant."""

from __future__ import annotations

from chasqui.errors.settings import BadConfig
from chasqui.errors.world import TryAgain


class WrongKeys(BadConfig):
    exit_code = 70
    text = "{url} does not let us in: {why}. Keys belong into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."


class KeysExpired(BadConfig):
    exit_code = 71
    text = "The keys to {url} have expired. Get new ones and run the same command again; what was finished is kept."


class NoBucket(BadConfig):
    exit_code = 72
    text = "There is no bucket {url} on {server}."


class ObjectChanged(TryAgain):
    exit_code = 73
    text = "{name} changed while it was being fetched, again and again; nothing of it was kept."


class BadCopy(TryAgain):
    exit_code = 74
    text = "What arrived of {name} is not what the bucket says it holds ({why}); nothing of it was kept."

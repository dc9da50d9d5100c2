"""The JSON API: a blueprint per kind of thing, each named `api` in a file of its name."""

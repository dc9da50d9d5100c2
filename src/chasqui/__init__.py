"""Chasqui: the smallest files of a recorded class that a student can still understand, with the proof beside them."""

__version__ = "0.1.0"

"""Measures what the README claims, on real recordings: quality per byte, wall time and peak memory."""

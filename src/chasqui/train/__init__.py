"""train: from a folder of recordings to the models that `choose` uses.

`sweep.py` labels: real segments, every rung, every score, one Parquet row each. What it labels is said in `sources.py`
(which recordings), `split.py` (who is held out), `material.py` (what is done to them) and `mixing.py` (how).
Nothing here runs when a lesson is packed.
"""

"""train: from a folder of recordings to the models that `choose` uses.

`sweep.py` labels: real segments, every rung, every score, one Parquet row each. What it labels is said in `sources.py`
(which recordings), `split.py` (who is held out), `material.py` (what is done to them) and `mixing.py` (how).
`fit.py` makes models of those tables (`trees.py`, `fit_net.py`, `fit_kernel.py`, `lstm.py`, `fit_phone.py`),
`evaluate.py` judges them on who was held out (`simulate.py` plays the policy, `baseline.py` is what they must beat,
`report.py` draws), `export.py` ships the winners.
Nothing here runs when a lesson is packed.
"""

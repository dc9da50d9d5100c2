"""What a segment will score at every rung, before anything is encoded: the shipped predictors, and the rule that
spends encodes where they doubt.

`load.py` opens a model (`model.tflite` and its `card.json`), `curve.py` holds what it says about one segment and what a
measurement changes about that, `policy.py` says which rung to encode next. `choose`, `encode` and `train` share them.
"""

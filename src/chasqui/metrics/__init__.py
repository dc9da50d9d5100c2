"""Pure scores, one per file: prepare a reference once, score any number of encodes against it.

Both sides of every comparison are sample-aligned (we cut the codec delay ourselves), which is why no metric here
searches for an alignment. `targets.py` says which scores keep which promise; `silero.py` needs no reference: it says
where somebody speaks.
"""

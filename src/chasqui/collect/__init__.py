"""collect: what a data set says about a recording, and the sound it carries."""

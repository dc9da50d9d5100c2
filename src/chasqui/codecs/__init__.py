"""What encoder settings are: their legal range and the ladders we use; and Lyra, an experiment. Nothing here chooses."""

"""What encoder settings are: legal ranges and the ladders we use; and Lyra, an experiment. Nothing chooses here."""

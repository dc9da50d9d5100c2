"""What encoder settings are: their legal range and the ladders we use. Nothing here chooses or encodes."""

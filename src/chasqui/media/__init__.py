"""Everything that touches PyAV (FFmpeg inside a wheel): opening safely, decoding, encoding. Nobody else imports `av`."""

"""Everything that touches PyAV (FFmpeg in a wheel): opening safely, decoding, encoding. Nobody else imports `av`."""

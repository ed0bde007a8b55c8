"""One noun a file: decode, call one flow, encode."""

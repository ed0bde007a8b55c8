"""One verb a file: ports in, values out, one transaction each."""

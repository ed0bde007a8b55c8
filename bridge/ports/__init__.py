"""What the flows need from the world, one noun a file. Docstrings state durability."""

"""The command line: one file a command group, handed its ports by workers/main.py."""

"""The command line's other half: options, calls, progress, tables and sentences."""

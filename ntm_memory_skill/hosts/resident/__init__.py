"""A process that has the memory open answers the command line: over a socket beside the memory, to its owner alone."""

"""Memory networks: questions answered in several hops over texts that are kept as they are."""

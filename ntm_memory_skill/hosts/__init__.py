"""Where people and agents meet the memory: the command line, MCP, and the skill's manifest."""

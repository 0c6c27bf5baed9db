"""Setting hosts up: the change that each needs, shown before it is made, and taken back on request.

OpenClaw's configuration is written by its own command line alone, in one validated write; an MCP client's file is
replaced whole. Nothing that somebody else wrote is lost by either, or by undoing it.
"""

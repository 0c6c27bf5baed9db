"""OpenClaw: the native plugin that takes the host's memory slot, and what both sides have agreed on."""

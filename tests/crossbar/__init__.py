"""Tests of the emulated crossbar: each part against a dumb oracle, the devices against published statistics."""

"""Tests of the memory networks."""

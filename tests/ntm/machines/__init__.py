"""Tests of the differentiable machines."""

"""Tests of training machines on tasks."""

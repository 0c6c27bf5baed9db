"""Tests of the evaluation: layouts, metrics, statistics, rows, and the report."""

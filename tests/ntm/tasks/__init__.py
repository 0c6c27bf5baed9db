"""Tests of the tasks that machines learn."""

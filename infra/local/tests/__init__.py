"""Tests of what the local stack checks."""

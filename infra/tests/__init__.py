"""Tests of the tools around the other tests."""

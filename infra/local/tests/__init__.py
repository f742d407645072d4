"""Tests of the checks of the local stack."""

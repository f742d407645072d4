"""Tests of the import of files, against a fake Tandem that answers as docs/openapi.yaml describes."""

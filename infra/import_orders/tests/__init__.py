"""What the import of files must hold, tried against a Tandem of its own that answers as docs/openapi.yaml says."""

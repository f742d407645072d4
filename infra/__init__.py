"""The tools around the functions: the local stack, the operating commands and the import of files."""

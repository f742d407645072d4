"""Writes the template as SAM transforms it, for the linters: some errors exist only there, such as circular references.

::

    python3 -m infra.local exec -- python -m infra.lint .local/transformed.json
"""

"""The template as AWS's translator makes it of the SAM template."""

from __future__ import annotations

from infra.local import translate
from infra.local.binaries import named_in

_BUCKET = "packages"


def transformed() -> translate.Template:
    """Translate the template, with the packages in some bucket, as `sam deploy` does before the transform."""
    template = translate.read()
    code = {name: {"Bucket": _BUCKET, "Key": name} for name in named_in(template)}
    translated = translate.transformed(template, code)
    translated.pop("Metadata", None)  # its exceptions would replace those of cfn-lint-transformed.yaml
    return translated

"""Runs `reseal` on a table: `python -m infra.operate.tests.reseal_table ENDPOINT TABLE`.

TANDEM_DATA_KEYS has the data keys.

The test of the key change in tests/tests/deployed uses it, on the table of functions that run in its process.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path

import boto3
from botocore.config import Config

from infra.operate import reseal
from infra.operate.options import Options
from infra.operate.tests.case import Sqs, stack
from infra.operate.tests.test_data_key import Secrets


def main(endpoint: str, table: str) -> int:
    """Reseal the table."""
    client = boto3.client(
        "dynamodb",
        region_name="eu-central-1",
        endpoint_url=endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(proxies={}),
    )
    target = dataclasses.replace(
        stack(Sqs(), client),
        table=table,
        secrets=Secrets(os.environ["TANDEM_DATA_KEYS"]),
        data_key_secret="arn:data-key",
    )
    return reseal.run(target, Options("reseal", None, Path("stack.json")))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

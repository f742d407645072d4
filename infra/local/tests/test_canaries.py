"""Callers' texts are found in logs in every form, and permitted texts are not."""

from __future__ import annotations

import json
import tempfile
import unittest
import unittest.mock
from pathlib import Path
from typing import Any

from infra.local import canaries
from infra.local.layout import State
from infra.local.say import Problem

ID = "cus_0190b8f5c6f77c3ab0a1c2d3e4f50617"


class Canaries(unittest.TestCase):
    """Logs of one function after one call."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.state = State(Path(folder.name), Path(folder.name) / "stack.json")
        self.state.create()
        fields = unittest.mock.patch.object(canaries, "_fields", return_value=set())
        self.fields = fields.start()
        self.addCleanup(fields.stop)

    def look(self, log: str, body: Any = None, answer: Any = None, key: str = "", **more: str) -> None:
        call = {
            "route": "POST /v1/x",
            "query": None,
            "body": body if isinstance(body, str) else json.dumps(body),
            "authorization": f"Bearer {key}",
            "idempotencyKey": None,
            "answer": json.dumps(answer),
        }
        call |= more
        self.state.exchanges.write_text(json.dumps(call) + "\n")
        (self.state.function_logs / "customers.log").write_text(log + "\n")
        canaries.search(self.state)

    def test_a_text_of_a_body_is_found_however_deep_it_was(self) -> None:
        with self.assertRaisesRegex(Problem, r"(?s)1 text.*customers.log has 'Anna Muster'"):
            self.look('{"message":"no Anna Muster"}', {"items": [{"person": {"name": "Anna Muster"}}]})

    def test_a_text_is_found_as_json_writes_it(self) -> None:
        for ascii_only in (True, False):
            with self.assertRaisesRegex(Problem, "customers.log has"):
                log = json.dumps({"message": 'said "Müller"'}, ensure_ascii=ascii_only)
                self.look(log, {"name": 'said "Müller"'})

    def test_keys_and_what_was_answered_once_are_found(self) -> None:
        for exchange in ({"key": "tdm_abcdef"}, {"answer": {"voucherCode": "7Q2M9-X4T0K"}}, {"body": "{broken Anna"}):
            with self.assertRaises(Problem):
                self.look("tdm_abcdef 7Q2M9-X4T0K {broken Anna", **({"body": {"name": "somebody"}} | exchange))

    def test_bodies_that_are_not_json_are_canaries_themselves(self) -> None:
        for body in ("{broken Anna", "[" * 100_000, "two\u2028lines"):
            self.look("nothing", body)
            with self.assertRaises(Problem):
                self.look(f"refused {body}", body)

    def test_what_a_query_asks_for_is_found_however_it_is_written(self) -> None:
        query = f"limit=20&email=anna%40example.com&externalSystemId=Kunde+77&offerId={ID}"
        for log in ("no anna@example.com", "no anna%40example.com", "no Kunde 77", "no Kunde+77", f"/v1/x?{query}"):
            with self.assertRaisesRegex(Problem, "customers.log has"):
                self.look(log, {"name": "somebody"}, query=query)
        self.look(f"limit externalSystemId 20 {ID}", {"name": "somebody"}, query=query)

    def test_an_idempotency_key_is_found(self) -> None:
        for key in ("order 4711", "0190b8f5-c6f7-7c3a-b0a1-c2d3e4f50617"):
            self.look("no key", {"name": "somebody"}, idempotencyKey=key)
            with self.assertRaisesRegex(Problem, f"customers.log has '{key}'"):
                self.look(f"key {key}", {"name": "somebody"}, idempotencyKey=key)

    def test_a_long_text_is_found_when_it_was_shortened(self) -> None:
        name = 'Anna "Änne" Muster, second of that name'
        with self.assertRaisesRegex(Problem, r"1 text"):
            self.look(f"{{{json.dumps(name[:20] + '...')}}}", {"name": name})
        with self.assertRaisesRegex(Problem, r"1 text"):
            self.look(name, {"name": name})
        self.look(name[:15], {"name": name})

    def test_what_begins_as_many_others_do_is_found_as_a_whole_only(self) -> None:
        for text in (
            f"{ID}0",
            "tdm_0123456789abcdef_0123456789abcdefghjk",
            "https://example.com/callbacks/of/anna",
            "0190b8f5-c6f7-7c3a-b0a1-c2d3e4f50617",
            "2026-01-01T00:00:00Z, said Anna",
            " " * 30,
            "application/problem+json; charset=anna",
        ):
            self.look(f"log {text[:20]}|", {"name": "somebody", "text": text})
            with self.assertRaises(Problem):
                self.look(f"log {text}", {"name": "somebody", "text": text})

    def test_ids_times_and_known_words_may_be_logged(self) -> None:
        body = {"id": ID, "at": "2026-01-01T00:00:00Z", "method": "CREDIT_CARD", "name": "somebody"}
        self.look(f"{ID} 2026-01-01T00:00:00Z CREDIT_CARD", body)

    def test_a_field_that_nobody_filled_is_named(self) -> None:
        self.fields.return_value = {("POST /v1/x", ".name"), ("POST /v1/x", ".phone")}
        with self.assertRaisesRegex(Problem, r"\.phone"):
            self.look("nothing", {"name": "somebody"})

    def test_a_run_without_anything_to_look_for_is_no_success(self) -> None:
        with self.assertRaisesRegex(Problem, "no canaries"):
            self.look("nothing", {})


class Fields(unittest.TestCase):
    """The fields that docs/openapi.yaml names."""

    def test_fields_of_parts_lists_and_references_are_found(self) -> None:
        name = {"type": ["string", "null"]}
        draft = {
            "properties": {
                "name": {"$ref": "#/components/schemas/Name"},
                "method": {"type": "string", "enum": ["CREDIT_CARD"]},
                "items": {"type": "array", "items": {"oneOf": [{"properties": {"id": {"type": "string"}}}]}},
            }
        }
        body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Draft"}}}}
        openapi = {
            "paths": {"/v1/x": {"parameters": [], "post": {"requestBody": {"$ref": "#/components/requestBodies/X"}}}},
            "components": {"schemas": {"Name": name, "Draft": draft}, "requestBodies": {"X": body}},
        }
        self.assertEqual(canaries._fields(openapi), {("POST /v1/x", ".name"), ("POST /v1/x", ".items[].id")})


if __name__ == "__main__":
    unittest.main()

"""Imports of whole contents, refused or taken."""

from __future__ import annotations

from infra.import_orders.cli import ALL_TAKEN, REFUSED
from infra.import_orders.tests.case import COLUMNS, Case

HEADER = ",".join(COLUMNS)
REST = "off_1,cus_1,1,2026-07-01T00:00:00Z,BILLING"


def text(*ids: str) -> str:
    """A CSV file with these cells as ids."""
    return "".join(f"{row}\n" for row in (HEADER, *(f"{id},{REST}" for id in ids)))


class Contents(Case):
    """Imports of contents."""

    def reset(self) -> None:
        """Empty the folder and the fake Tandem."""
        self.tandem.forget()
        for path in self.folder.iterdir():
            path.unlink()

    def assert_refused(self, content: bytes, *parts: str, arguments: tuple[str, ...] = (), name: str = "a.csv") -> None:
        """Assert that the file is refused, that nothing was sent, and that nothing was written."""
        self.reset()
        file = self.folder / name
        file.write_bytes(content)
        code, out, err = self.run_it(file, *arguments)
        self.assertEqual((code, out, self.tandem.posts), (REFUSED, "", []), err)
        self.assertIn("nothing was sent", err.lower())
        for part in parts:
            self.assertIn(part, err)
        self.assertEqual([path.name for path in self.folder.iterdir() if path.stat().st_size], [name])

    def imported(self, content: bytes, *arguments: str, name: str = "a.csv") -> list[str]:
        """Import a file, and list the ids."""
        self.reset()
        file = self.folder / name
        file.write_bytes(content)
        code, _, err = self.run_it(file, *arguments)
        self.assertEqual(code, ALL_TAKEN, err)
        return self.tandem.imported

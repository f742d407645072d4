"""Imports a file of orders, CSV or JSON lines of any length, in calls that the API takes.

::

    TANDEM_API_KEY=... python3 -m infra.import_orders orders.csv --url https://...

It needs Python 3.10 or newer on Linux or macOS, and nothing else. The parts, in the order in which they work:

``options``   what the person asked for, and the API key
``source``    the file as rows, each with its place, to be read again from there; ``formats`` knows CSV, JSON lines
``calls``     forms the next call from a place in the file; the same place gives the same call
``journal``   what was done so far, appended and synced before and after each call; ``state`` is its sum
``client``    HTTP, with patience for what passes
``run``       sends, waits, and writes down what became of each call; ``progress`` shows it
``report``    the table of results and the file of failed rows

Exactly once: a call is written to the journal before it is sent, with an Idempotency-Key that follows from the file,
its rows and its body. Whatever ends this program in between, the next start forms the same call from the same place
and sends it with the same key, and Tandem answers with the promise of the first. Calls are sent one after the other,
since of two rows with one externalSystemId the later accepted wins; what runs side by side is Tandem's work on them.

What is *not* guaranteed: Tandem knows a key for 72 hours. A call whose answer was lost is not sent again by itself
later than that.
"""

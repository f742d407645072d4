"""Imports a file of orders, CSV or JSON lines of any length, in calls that the API accepts.

::

    TANDEM_API_KEY=... python3 -m infra.import_orders orders.csv --url https://...

It needs Python 3.10 or newer on Linux or macOS, and nothing else. The parts, in the order in which they work:

``options``   the command line and the API key
``source``    reads the rows of the file, each by its position; ``encodings`` converts files that are not UTF-8
``formats``   parses CSV and JSON lines; ``cells`` reads and writes CSV, ``texts`` finds damaged texts and ids
``check``     reads the whole file before anything is sent
``calls``     builds the next call from a position in the file; the same position gives the same call
``journal``   records the progress, synced before and after each call; ``state`` sums it up
``client``    HTTP, with retries of transient failures
``run``       sends, waits, and records the result of each call; ``progress`` shows it
``report``    the table of results and the file of failed rows; ``superseded`` the values that were not set

Exactly once: a call is written to the journal before it is sent, with an Idempotency-Key that follows from the file,
its rows and its body. After a crash, the next start builds the same call from the same position and sends it with the
same key, and Tandem repeats the first answer. Calls are sent one after the other, because of two rows with one
externalSystemId the later accepted one wins; Tandem then processes them concurrently.

Not guaranteed: Tandem stores a key for 72 hours. A call whose answer was lost is not sent again automatically after
that.
"""

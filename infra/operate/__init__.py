"""For the people who run Tandem: shows waiting work, explains why it waits, and redrives dead letters.

::

    python3 -m infra.operate status --stack-name tandem
    python3 -m infra.operate why ord_... --stack-name tandem
    python3 -m infra.operate redrive imports --stack-name tandem
    python3 -m infra.operate export-person cus_... --stack-name tandem
    python3 -m infra.operate reseal --stack-name tandem

Against AWS it uses the standard credentials and region; ``--local`` selects the stack of ``make up``. It runs in the
Python environment of ``infra.local``, and creates that environment if necessary. The parts:

``options``  the command line
``stack``    the table and the queues of a deployed stack, and the clients to reach them
``queues``   how many messages wait, and for how long
``due``      the outbox rows that are due
``deliveries``  undelivered callbacks by client, first attempts, endpoints that are not healthy
``dead_letters``  reads and deletes messages of a dead-letter queue
``rows``     rows of the table, without personal data and sealed values
``requests``  the log lines of a request
``keys``, ``holders``  keys and lists of the table; finds the client that owns a row
``sales``    reads a sale and what followed
``reasons``, ``sale_reasons``, ``tenant_reasons``  turn rows into sentences; no I/O
``triggers``  redrives events that a trigger could not deliver
``adopt``    prepares a restored table
``checks``, ``smoke``  check a deployment; play a story on it
``persons``, ``sealing``  gather the rows about a customer; open sealed texts
``data_key``, ``reseal``  changes the data key, and seals all values under the newest one
``why``, ``status``, ``redrive``, ``export_person``, ``usage``  the commands

Not guaranteed: exact counts, because SQS's counts are approximate. Listing a dead-letter queue hides its messages for
that time; if this program is killed meanwhile, they reappear after ten minutes.

docs/operations.md explains when to use each command.
"""

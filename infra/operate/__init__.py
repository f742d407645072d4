"""For the people who run Tandem: what is waiting, why something is stuck, and how to set it going again.

::

    python3 -m infra.operate status --stack-name tandem
    python3 -m infra.operate why prm_... --client cli_... --stack-name tandem
    python3 -m infra.operate redrive imports --stack-name tandem

Against AWS it takes the usual credentials and region; with ``--local`` it takes the stack that ``make up`` left. It
runs in the Python environment of ``infra.local``, which it makes if need be. The parts:

``options``  what was asked for
``stack``    the table and the queues of a deployed stack, and the clients to reach them
``queues``   how many messages wait, and for how long
``due``      the outbox rows that are due
``letters``  messages in a dead-letter queue, looked at and put back
``rows``     rows of the table, without what names a person and without what is sealed
``reasons``  from those to sentences; no I/O
``why``, ``status``, ``redrive``  the commands

What is *not* guaranteed: counts are SQS's, which are approximate. Whoever looks into a dead-letter queue holds its
messages for that time; if this program is killed meanwhile they come back after ten minutes.

docs/operations.md tells when to use what.
"""

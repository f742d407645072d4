"""The demo: two merchants sell together, and what comes after, played by HTTP against a stack that runs for real.

``make demo`` brings a stack up and starts this package against it. Whatever is printed has happened: each call went
through the public API, each mail was sent, each callback came to an HTTP server of this process.

``acts``      the story, act by act
``importing`` its last act: the orders of another system
``scenes``    what happens in more than one act: a connection is made, a cart is sold, payout lists are compared
``cast``      who acts: the operator and the merchants, each with its key
``mailbox``   the mails that the stack sent
``receiver``  the HTTP server that takes callbacks and verifies their signatures
``stage``     prints the play, and ends it at the first thing that is not as it should be
``text``      how values look on a narrow page: short ids, no secrets, tables

With ``TANDEM_STACK=.local/stack.json`` it plays on a stack that is up, as often as one likes::

    TANDEM_STACK=.local/stack.json python3 -m infra.local exec -- python -m infra.local.demo

Each step checks the effect that it should have; the exit status is 0 only if all of them had it.
"""

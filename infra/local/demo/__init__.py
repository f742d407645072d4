"""The demo: two merchants sell together, over HTTP, on a real stack.

``make demo`` starts a stack and runs this package against it. Everything printed has happened: each call went through
the public API, each mail was sent, each callback arrived at an HTTP server of this process.

``acts``      the story, act by act
``importing`` the last act: the orders of another system
``steps``     the steps that several acts share: connect, sell a cart, compare payout lists
``callers``   the operator and the merchants, each with its key
``mailbox``   the mails that the stack sent
``receiver``  the HTTP server that receives callbacks and verifies their signatures
``scenario``  prints the steps, and stops at the first failed check
``text``      formats values: short ids, no secrets, tables

With ``TANDEM_STACK=.local/stack.json`` it runs on a running stack, any number of times::

    TANDEM_STACK=.local/stack.json python3 -m infra.local exec -- python -m infra.local.demo

Each step checks its effect; the exit status is 0 only if all checks pass.
"""

"""The local stack: the production template and the production binaries on an emulator of AWS.

One command brings a stack up, another takes it down, a third runs a program against a stack of its own::

    python3 -m infra.local up | down | status
    python3 -m infra.local run -- cargo test -p tandem-tests --test stories

The parts, in the order in which they work:

``environment``  the virtual environment with the pinned packages
``binaries``     cargo builds what ``template.yaml`` names; each binary becomes a deployment package
``emulator``     starts ministack on a free port of the loopback address, as a child that cannot be left behind
``translate``    turns SAM into plain CloudFormation that ministack understands
``deploy``       uploads, creates the stack, and collects what callers need to know
``guard``        a process that ends all the others when the command that started them goes away

What is *not* guaranteed: state outlives nothing. When the emulator ends, its tables and queues are gone.
docs/local-stack.md lists every place where the local stack differs from AWS.
"""

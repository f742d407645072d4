"""The local stack: the production template and the production binaries on an emulator of AWS.

One command starts a stack, another stops it, a third runs a program against a stack of its own::

    python3 -m infra.local up | down | status
    python3 -m infra.local run -- cargo test --workspace --test stories

The parts, in the order of their use:

``environment``  the virtual environment with the pinned packages
``binaries``     builds the functions of ``template.yaml`` with cargo and packages them
``emulator``     starts ministack on a free port of the loopback address, as a child of the command
``translate``    turns SAM into plain CloudFormation for ministack
``deploy``       uploads the packages, creates the stack and describes it
``guard``        a process that ends all the others when their command ends

Not guaranteed: durability. When the emulator ends, its tables and queues are gone. docs/local-stack.md lists every
difference between the local stack and AWS.
"""

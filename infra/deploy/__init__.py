"""Builds the packages of all functions and deploys the two stacks to AWS.

::

    make package                       # all functions, for arm64; ARCHITECTURE=x86_64 for the other
    make deploy STAGE=staging          # the data's stack, then the functions' stack

`deploy` needs the AWS SAM CLI, credentials, and samconfig.toml, which names each stage's stack, region and parameters.
The parts:

``package``   one cargo invocation that writes dist/FUNCTION/bootstrap
``packages``  the functions of the template, and the processor of a binary
``settings``  reads samconfig.toml
``stacks``    reads and protects stacks
``deploy``    deploys both stacks

Not done here: bootstrapping an account, see docs/deploying.md.
"""

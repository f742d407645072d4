//! The stories that need a deployed stack: its logs, roles and dead-letter queues, the operating tool, and the receivers that
//! docs/callbacks.md shows. `make test` starts a stack for them.

mod canaries;
mod dead_letters;
mod documented_receivers;
mod import_dead_letters;
mod key_change;
mod table_access;

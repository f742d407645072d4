//! The sender against real receivers on loopback: well-behaved ones, broken ones and hostile ones.

mod addresses;
mod answers;
mod hostile;
mod https;
mod support;

//! The sender against real receivers on loopback: well-behaved, broken and hostile.

mod addresses;
mod answers;
mod floods;
mod hostile;
mod https;
mod reuse;
mod sloppy;
mod support;

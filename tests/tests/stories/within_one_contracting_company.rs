//! Two clients of one contracting company connect and sell one cart. They share customers, so the source's subscription is
//! linked at once and no callback is sent.

mod inviting;
mod selling;
mod setting_up;

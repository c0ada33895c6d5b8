//! The explorer without a terminal and without a database: keys in, screens out.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod flow;
mod recorded;
mod runs;
mod screens;
mod stories;
mod sweep;
mod world;

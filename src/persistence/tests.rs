//! Tests against real files.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test that cannot go on fails")]

mod asking;
mod experimenting;
mod layout;
mod migrating;
mod opening;
mod reference;
pub(crate) mod rows;
mod samples;
mod storing;

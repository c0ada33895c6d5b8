//! Looking back at a run (spec 07, 20).

pub mod chart;
pub mod compare;
pub mod diff;
pub mod evolution;
mod picture;
pub mod summary;

pub use picture::PictureError;

use serde_json::{Map, Value};

use crate::persistence::Status;

/// A stored mapping by bank; empty if the text is none.
fn mapping(json: &str) -> Map<String, Value> {
    serde_json::from_str(json).unwrap_or_default()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls takes references")]
fn status_name<S: serde::Serializer>(status: &Status, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(status.name())
}

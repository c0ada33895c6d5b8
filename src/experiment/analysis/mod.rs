//! Looking back at a run (spec 07, 20).

pub mod chart;
pub mod diff;
pub mod evolution;

use serde_json::{Map, Value};

/// A stored mapping by bank; empty if the text is none.
fn mapping(json: &str) -> Map<String, Value> {
    serde_json::from_str(json).unwrap_or_default()
}

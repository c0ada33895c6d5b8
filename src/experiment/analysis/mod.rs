//! Looking back at a run (spec 07, 20).

pub mod diff;

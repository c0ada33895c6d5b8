//! Everything that holds between the parts: cases, principles, the program from outside.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failing test says so by panicking"
)]

mod cases;
mod checking;
mod checkpoints;
mod commands;
mod conversations;
mod copies;
mod crash;
mod databases;
mod experiment_records;
mod experiments;
mod explorer;
mod exports;
mod fuzz;
mod honesty;
mod language_models;
mod library;
mod looking_back;
mod readme;
mod recording;
mod reference;
mod resuming;
mod searching;
mod statements;
mod support;
mod surviving;
mod sweeps;
mod taking_home;
mod tidy;

//! payment-sim: simulate interbank settlement, run experiments on it, explore what they recorded.

use std::process::ExitCode;

fn main() -> ExitCode {
    payment_sim::cli::main(std::env::args_os())
}

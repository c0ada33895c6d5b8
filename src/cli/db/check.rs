//! `db check`: whether what is stored holds together.

use indicatif::ProgressBar;
use serde_json::json;

use crate::cli::args::DbOption;
use crate::cli::error::{CliError, say};
use crate::cli::output::Output;
use crate::cli::progress;
use crate::money::counted;
use crate::persistence::{Access, CheckDepth, CheckObserver, CheckProgress, Defect};

/// Runs the command.
pub fn check(db: &DbOption, depth: CheckDepth, as_json: bool) -> Result<(), CliError> {
    let reader = db.open(Access::Read)?.reader()?;
    let mut report =
        Report { output: Output::new(), as_json, found: 0, failure: None, bar: progress::bar(0, "events") };
    let done = reader.check(depth, &mut report);
    report.bar.finish_and_clear();
    let Report { output, found, failure, .. } = report;
    if let Some(error) = failure {
        return Err(error.into());
    }
    output.finish()?;
    let CheckProgress { simulations, events, .. } = done?;
    let looked_at = format!("{} with {}", counted(simulations, "simulation"), counted(events, "event"));
    match found {
        0 => {
            say(&format!("{looked_at}: nothing wrong"));
            Ok(())
        }
        number => {
            say(&format!("{looked_at}: {}", counted(number, "finding")));
            Err(CliError::Reported)
        }
    }
}

/// Prints what is found as it is found.
struct Report {
    output: Output,
    as_json: bool,
    found: u64,
    failure: Option<std::io::Error>,
    bar: ProgressBar,
}

impl CheckObserver for Report {
    fn found(&mut self, defect: Defect) {
        self.found += 1;
        let line = if self.as_json {
            json!({ "table": defect.table, "id": defect.id, "message": defect.message }).to_string()
        } else {
            defect.to_string()
        };
        let written = self.bar.suspend(|| self.output.line(&line).and_then(|()| self.output.flush()));
        if let Err(error) = written {
            self.failure.get_or_insert(error);
        }
    }

    fn progress(&mut self, progress: CheckProgress) {
        self.bar.set_length(progress.all_events);
        self.bar.set_position(progress.events);
    }
}

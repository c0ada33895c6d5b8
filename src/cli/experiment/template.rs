//! `experiment template`: a file to start from.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use crate::cli::error::CliError;
use crate::cli::output::Output;

/// Every key with its default.
const TEMPLATE: &str = include_str!("template.yaml");

/// Prints the template, or writes it to a file that does not exist yet.
pub fn template(file: Option<&Path>) -> Result<(), CliError> {
    let Some(path) = file else {
        let mut output = Output::new();
        output.text(TEMPLATE)?;
        return Ok(output.finish()?);
    };
    let written = OpenOptions::new().write(true).create_new(true).open(path);
    written.and_then(|mut file| file.write_all(TEMPLATE.as_bytes())).map_err(|error| {
        let name = path.display();
        match error.kind() {
            io::ErrorKind::AlreadyExists => CliError::Failed {
                message: format!("file `{name}` exists already"),
                hint: Some("name another file, or remove it first".to_owned()),
            },
            _ => CliError::failed(format!("file `{name}` cannot be written: {error}")),
        }
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::experiment::file::Experiment;

    #[test]
    fn the_template_is_an_experiment_without_a_warning() {
        assert_eq!(read(TEMPLATE).convergence.max_iterations, 50);
    }

    #[test]
    fn its_sweep_is_one_without_a_warning() {
        let (_, sweep) = TEMPLATE.split_once("\n#\n").unwrap();
        let sweep: String =
            sweep.lines().map(|line| format!("{}\n", line.trim_start_matches("# "))).collect();
        let file = format!("name: swept\nscenario: library:two-banks\nevaluation: {{ticks: 2}}\n{sweep}");
        let axes = read(&file).sweep.map(|sweep| sweep.vary.len());
        assert_eq!(axes, Some(2));
    }

    fn read(text: &str) -> Experiment {
        let (experiment, findings) = Experiment::read(text, &|path| Err(path.to_owned()));
        assert!(findings.0.is_empty(), "{findings:?}");
        experiment.unwrap()
    }
}

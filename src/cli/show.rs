//! What `run` and `replay` print of a simulation: one renderer for both, fed tick by tick.

use std::io;
use std::sync::Arc;

use super::args::{FilterArgs, ModeOptions, ResultForm};
use super::error::{CliError, say};
use super::output::Output;
use crate::event::{Digest, Event, write_line};
use crate::metrics::{Ledger, SimulationSummary, Summary};
use crate::replay::FoldError;
use crate::scenario::Scenario;
use crate::time::Tick;
use crate::transcript::{Filter, FilterOptions, Selection, Transcript, result_text};

/// What is printed while the simulation goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing; the result at the end.
    Normal,
    /// Nothing; the result as one line of JSON.
    Quiet,
    /// The transcript.
    Verbose,
    /// A line per tick.
    Stream,
    /// A line per event.
    EventStream,
}

impl ModeOptions {
    /// The mode; options that need another one are usage errors.
    pub fn mode(&self) -> Result<Mode, CliError> {
        let mode = match (self.quiet, self.verbose, self.stream, self.event_stream) {
            (true, ..) => Mode::Quiet,
            (_, true, ..) => Mode::Verbose,
            (_, _, true, _) => Mode::Stream,
            (_, _, _, true) => Mode::EventStream,
            _ => Mode::Normal,
        };
        let shows_events = matches!(mode, Mode::Verbose | Mode::EventStream);
        if !shows_events && !self.filter.read()?.is_empty() {
            return Err(CliError::usage(
                "filters act on events, and this output shows none",
                "add --verbose or --event-stream",
            ));
        }
        Ok(mode)
    }
}

impl FilterArgs {
    /// The filter of the `--filter-…` options.
    pub fn read(&self) -> Result<Filter, CliError> {
        let options = FilterOptions {
            event_types: self.filter_event_type.as_deref(),
            agent: self.filter_agent.as_deref(),
            tx: self.filter_tx.as_deref(),
            tick_range: self.filter_tick_range.as_deref(),
            day: self.filter_day,
        };
        Filter::parse(&options)
            .map_err(|error| CliError::Usage { message: error.to_string(), hint: error.hint() })
    }
}

/// Why a tick could not be shown.
#[derive(Debug)]
pub enum ShowError {
    /// The output is closed or full.
    Output(io::Error),
    /// The events contradict the state before them.
    Fold(FoldError),
}

impl From<io::Error> for ShowError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<FoldError> for ShowError {
    fn from(error: FoldError) -> Self {
        Self::Fold(error)
    }
}

impl From<ShowError> for CliError {
    fn from(error: ShowError) -> Self {
        match error {
            ShowError::Output(error) => error.into(),
            ShowError::Fold(error) => Self::failed(format!("the events do not fit together: {error}")),
        }
    }
}

/// What the events are folded into: figures, and a transcript where one is wanted.
enum Fold {
    Figures(Box<Ledger>),
    Told(Box<Transcript>),
}

impl Fold {
    const fn ledger(&self) -> &Ledger {
        match self {
            Self::Figures(ledger) => ledger,
            Self::Told(transcript) => transcript.ledger(),
        }
    }
}

/// Prints a simulation.
pub struct Show {
    mode: Mode,
    scenario: Arc<Scenario>,
    fold: Fold,
    selection: Selection,
    digest: Option<Digest>,
    form: ResultForm,
    output: Output,
    /// Ticks that are shown; all are folded.
    range: Option<(u64, u64)>,
    line: String,
}

impl Show {
    /// A printer before tick 0.
    pub fn new(scenario: Arc<Scenario>, options: &ModeOptions, digest: bool) -> Result<Self, CliError> {
        let mode = options.mode()?;
        let filter = options.filter.read()?;
        let output = Output::new();
        let as_text = output.is_terminal() && mode != Mode::Quiet;
        let form = options.output.unwrap_or(if as_text { ResultForm::Text } else { ResultForm::Json });
        Ok(Self {
            mode,
            fold: match mode {
                Mode::Verbose => Fold::Told(Box::new(Transcript::new(scenario.clone()).with_filter(&filter))),
                _ => Fold::Figures(Box::new(Ledger::new(scenario.clone()))),
            },
            selection: filter.select(&scenario.names, scenario.calendar),
            scenario,
            digest: digest.then(Digest::default),
            form,
            output,
            range: None,
            line: String::new(),
        })
    }

    /// A printer of the result alone, where the mode prints one.
    pub fn of_result(scenario: Arc<Scenario>, options: &ModeOptions) -> Result<Self, CliError> {
        let mode = options.mode()?;
        let mut show = Self::new(scenario.clone(), options, false)?;
        if mode == Mode::Verbose {
            (show.mode, show.fold) = (Mode::Normal, Fold::Figures(Box::new(Ledger::new(scenario))));
        }
        show.only(Some((u64::MAX, u64::MAX)));
        Ok(show)
    }

    /// Shows only these ticks, both included.
    pub const fn only(&mut self, range: Option<(u64, u64)>) {
        self.range = range;
    }

    /// The mode.
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// Takes a complete tick.
    pub fn tick(&mut self, tick: Tick, first_sequence: u64, events: &[Event]) -> Result<(), ShowError> {
        let shown = self.range.is_none_or(|(from, to)| (from..=to).contains(&tick.0));
        if let Some(digest) = &mut self.digest {
            for (sequence, event) in (first_sequence..).zip(events) {
                digest.event(sequence, tick, event, &self.scenario.names);
            }
        }
        if self.mode == Mode::EventStream && shown {
            self.event_lines(tick, first_sequence, events)?;
        }
        match &mut self.fold {
            Fold::Told(transcript) if shown => {
                let text = transcript.tick(tick, events)?;
                self.output.text(&text)?;
            }
            Fold::Told(transcript) => transcript.skip(tick, events)?,
            Fold::Figures(ledger) => {
                let outcome = ledger.tick(tick, events)?;
                if self.mode == Mode::Stream && shown {
                    self.line.clear();
                    outcome.figures.write_stream_line(&mut self.line);
                    self.output.line(&self.line)?;
                }
            }
        }
        Ok(())
    }

    fn event_lines(&mut self, tick: Tick, first_sequence: u64, events: &[Event]) -> io::Result<()> {
        for (sequence, event) in (first_sequence..).zip(events) {
            if self.selection.matches(tick, event, &self.scenario.names) {
                self.line.clear();
                write_line(sequence, tick, event, &self.scenario.names, &mut self.line);
                self.output.line(&self.line)?;
            }
        }
        Ok(())
    }

    /// The digest of the events, if it was asked for.
    pub fn digest(&self) -> Option<String> {
        self.digest.as_ref().map(Digest::hex)
    }

    /// Prints the result, unless the mode prints lines only, and what the filter asked for in vain.
    pub fn finish(mut self, simulation: SimulationSummary) -> Result<(), CliError> {
        if matches!(self.mode, Mode::Normal | Mode::Quiet | Mode::Verbose) {
            let summary = Summary::new(simulation, self.fold.ledger());
            match self.form {
                ResultForm::Json => self.output.line(&summary.to_json())?,
                ResultForm::Text => self.output.text(&result_text(&summary))?,
            }
        }
        let selection = match &self.fold {
            Fold::Told(transcript) => transcript.selection(),
            Fold::Figures(_) => &self.selection,
        };
        let shows_events = matches!(self.mode, Mode::Verbose | Mode::EventStream);
        let missing = if shows_events { selection.missing() } else { Vec::new() };
        for missing in missing {
            say(&format!("warning: {missing}"));
            if let Some(hint) = missing.hint() {
                say(&format!("hint: {hint}"));
            }
        }
        Ok(self.output.finish()?)
    }
}

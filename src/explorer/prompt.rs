//! Asking the user: a line to type in, checked while it is typed, and questions with yes and no.

use tui_input::Input;

use super::filter::{EventFilter, FIELDS, FilterOf};
use super::key::{Code, Key};
use super::widgets::input;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Filter(FilterOf),
    /// The name under which a filter is kept.
    KeepFilter,
    /// What the user writes about what is selected.
    Note,
    Tick,
    Search,
    /// The file for rows of a view.
    Export,
    /// What a bookmark is called.
    Bookmark,
    /// An event to run to.
    Condition,
    /// Another simulation to compare with.
    Companion,
}

impl Purpose {
    /// What stands before the line.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Filter(_) => "filter",
            Self::KeepFilter => "keep the filter as",
            Self::Note => "note",
            Self::Tick => "go to tick",
            Self::Search => "search",
            Self::Export => "export to",
            Self::Bookmark => "keep this place as",
            Self::Condition => "run to an event with",
            Self::Companion => "compare with simulation",
        }
    }

    /// What can be typed.
    pub fn hint(self) -> String {
        match self {
            Self::Filter(of) => format!("{} - empty: everything", fields(of.fields())),
            Self::Condition => fields(FIELDS),
            Self::KeepFilter => "gf lists the filters that are kept".to_owned(),
            Self::Note => "words that begin with # are tags; empty: no note".to_owned(),
            Self::Tick => "a tick of the run".to_owned(),
            Self::Export => "a new file that ends in .csv, .jsonl or .parquet".to_owned(),
            Self::Bookmark => "' lists what is kept".to_owned(),
            Self::Companion => "its whole id; in the list of simulations `y y` copies one".to_owned(),
            Self::Search => "a text; n and N go to the next and the previous place".to_owned(),
        }
    }

    /// What is wrong with a text.
    fn problem(self, text: &str) -> Option<String> {
        match self {
            Self::Filter(of) => of.problem(text),
            Self::Condition => EventFilter::parse(text).err(),
            Self::Tick if text.is_empty() => None,
            Self::Tick => text.parse::<u64>().err().map(|_| format!("`{text}` is no tick")),
            Self::Export => {
                let known = [".csv", ".jsonl", ".parquet"].iter().any(|ending| text.ends_with(ending));
                (!known).then(|| "end it in .csv, .jsonl or .parquet".to_owned())
            }
            Self::Bookmark | Self::KeepFilter => text.is_empty().then(|| "give it a name".to_owned()),
            Self::Search | Self::Companion | Self::Note => None,
        }
    }
}

/// The fields of a filter, as they are typed.
fn fields(of: &[(&str, &str)]) -> String {
    of.iter().map(|(name, _)| format!("{name}:")).collect::<Vec<_>>().join(" ")
}

/// A line to type in.
#[derive(Clone, Debug)]
pub struct Prompt {
    pub purpose: Purpose,
    pub input: Input,
    pub problem: Option<String>,
}

/// What became of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    Typing,
    Given(String),
    Dismissed,
}

impl Prompt {
    /// Asks, with a text to begin with.
    pub fn new(purpose: Purpose, text: impl Into<String>) -> Self {
        Self { purpose, input: Input::new(text.into()), problem: None }
    }

    /// Handles a key.
    pub fn key(&mut self, key: Key) -> Reply {
        match key.code {
            Code::Enter if self.problem.is_none() => {
                return Reply::Given(self.input.value().trim().to_owned());
            }
            Code::Enter => {}
            Code::Esc => return Reply::Dismissed,
            Code::Char('c') if key.ctrl => return Reply::Dismissed,
            _ => {
                if let Some(request) = input::request(key) {
                    self.input.handle(request);
                }
                self.check();
            }
        }
        Reply::Typing
    }

    /// Puts a text before what is typed already.
    pub fn put_before(&mut self, text: &str) {
        let typed = self.input.value();
        let gap = if text.is_empty() || typed.is_empty() { "" } else { " " };
        self.input = Input::new(format!("{text}{gap}{typed}"));
        self.check();
    }

    /// Handles pasted text.
    pub fn paste(&mut self, text: &str) {
        input::paste(&mut self.input, text);
        self.check();
    }

    fn check(&mut self) {
        self.problem = self.purpose.problem(self.input.value().trim());
    }
}

/// A question with yes and no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Leave although jobs run.
    QuitWithJobs(usize),
    /// Leave.
    Quit,
}

impl Question {
    /// The question in words.
    pub fn text(&self) -> String {
        match self {
            Self::Quit => "Quit the explorer?\n\ny yes   n no".to_owned(),
            Self::QuitWithJobs(count) => format!(
                "{} still running. Quitting cancels: each ends after its current tick, and every finished \
                 simulation stays whole.\n\ny cancel and quit   n stay",
                if *count == 1 { "1 job is".to_owned() } else { format!("{count} jobs are") }
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_checked_while_it_is_typed() {
        let mut prompt = Prompt::new(Purpose::Tick, "");
        let key = |text| Key::parse(text).unwrap_or(Key::plain(Code::Esc));
        assert_eq!(prompt.key(key("5")), Reply::Typing);
        assert_eq!(prompt.key(key("x")), Reply::Typing);
        assert_eq!(prompt.problem.as_deref(), Some("`5x` is no tick"));
        assert_eq!(prompt.key(key("Enter")), Reply::Typing, "a wrong line is not given");
        prompt.key(key("Backspace"));
        assert_eq!(prompt.key(key("Enter")), Reply::Given("5".into()));
    }
}

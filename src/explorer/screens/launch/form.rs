//! The settings of the form: label, help, check, value.

use tui_input::Input;

use crate::experiment::file::MAX_SAMPLES;
use crate::explorer::rows::{Persist, Subject};
use crate::money::grouped;

/// What a field sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    Source,
    Seed,
    /// The root of an experiment's seeds, of any size.
    MasterSeed,
    Ticks,
    Iterations,
    Samples,
    Persist,
    Workers,
    Proposer,
}

impl Setting {
    /// Its name in the form.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Source => "file",
            Self::Seed | Self::MasterSeed => "seed",
            Self::Ticks => "ticks",
            Self::Iterations => "iterations",
            Self::Samples => "samples",
            Self::Persist => "store",
            Self::Workers => "workers",
            Self::Proposer => "proposer",
        }
    }

    /// One line about it.
    pub const fn help(self) -> &'static str {
        match self {
            Self::Source => "",
            Self::Seed | Self::MasterSeed => "same seed, same result",
            Self::Ticks => "ticks to simulate",
            Self::Iterations => "most rounds of proposals",
            Self::Samples => "bootstrap samples per comparison",
            Self::Persist => "which simulations are stored",
            Self::Workers => "threads; no result depends on it",
            Self::Proposer => "search, script:FILE, provider:name",
        }
    }

    /// What is wrong with a text.
    fn problem(self, text: &str) -> Option<String> {
        let number = text.parse::<u64>();
        match (self, number) {
            (Self::Source, _) if text.is_empty() => Some("name a file".into()),
            (Self::Source | Self::Persist, _) => text.is_empty().then(|| "may not be empty".into()),
            (Self::Proposer, _) => proposer_problem(text),
            (Self::MasterSeed, _) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
                None
            }
            (_, Err(_)) => Some("a whole number from 0".into()),
            (Self::Seed | Self::MasterSeed, Ok(_)) => None,
            (_, Ok(0)) => Some("at least 1".into()),
            (Self::Ticks, Ok(10_000_001..)) => Some("at most 10,000,000".into()),
            (Self::Samples, Ok(count)) if count > u64::from(MAX_SAMPLES) => {
                Some(format!("at most {}", grouped(u64::from(MAX_SAMPLES))))
            }
            (Self::Iterations, Ok(1_000_001..)) => Some("at most 1,000,000".into()),
            (Self::Workers, Ok(1025..)) => Some("at most 1,024".into()),
            (_, Ok(_)) => None,
        }
    }
}

/// A proposer is `search`, `llm` with the file's model, a script, or a provider's model.
fn proposer_problem(text: &str) -> Option<String> {
    let named = text.split_once(':').is_some_and(|(left, right)| !left.is_empty() && !right.is_empty());
    let known = text == "search" || text == "llm" || named;
    (!known).then(|| "search, llm, script:FILE or provider:model".into())
}

/// The value of a field.
#[derive(Clone, Debug)]
pub enum Value {
    Text(Input),
    Choice { options: Vec<String>, at: usize },
}

/// A line of the form.
#[derive(Clone, Debug)]
pub struct Field {
    pub setting: Setting,
    pub value: Value,
    pub problem: Option<String>,
}

impl Field {
    /// The file or library entry.
    pub fn source(source: &str) -> Self {
        Self { setting: Setting::Source, value: Value::Text(Input::new(source.to_owned())), problem: None }
    }

    fn text_field(setting: Setting, value: impl ToString) -> Self {
        Self { setting, value: Value::Text(Input::new(value.to_string())), problem: None }
    }

    fn choice(setting: Setting, options: Vec<String>, chosen: &str) -> Self {
        let at = options.iter().position(|option| option == chosen).unwrap_or(0);
        Self { setting, value: Value::Choice { options, at }, problem: None }
    }

    /// The value as text.
    pub fn text(&self) -> &str {
        match &self.value {
            Value::Text(input) => input.value(),
            Value::Choice { options, at } => options.get(*at).map_or("", String::as_str),
        }
    }

    /// The value as a number.
    pub fn number(&self) -> Option<u64> {
        self.text().trim().parse().ok()
    }

    /// Looks for what is wrong with it.
    pub fn check(&mut self) {
        self.problem = self.setting.problem(self.text().trim());
    }

    /// The next or the previous choice.
    pub fn choose(&mut self, forward: bool) {
        if let Value::Choice { options, at } = &mut self.value {
            let step = if forward { 1 } else { options.len().saturating_sub(1) };
            *at = (*at + step) % options.len().max(1);
        }
    }
}

/// The fields for what was read, at its own settings.
pub fn fields_of(subject: &Subject) -> Vec<Field> {
    let seed = if subject.experiment.is_some() { Setting::MasterSeed } else { Setting::Seed };
    let mut fields = vec![Field::text_field(seed, &subject.seed)];
    let Some(settings) = &subject.experiment else {
        fields.push(Field::text_field(Setting::Ticks, subject.ticks));
        return fields;
    };
    let improves = settings.sweep.is_none();
    if improves {
        fields.push(Field::text_field(Setting::Iterations, settings.iterations));
    }
    if improves && settings.mode == "bootstrap" {
        fields.push(Field::text_field(Setting::Samples, settings.samples));
    }
    let levels = Persist::ALL.map(|level| level.word().to_owned()).to_vec();
    fields.push(Field::choice(Setting::Persist, levels, settings.persist.word()));
    fields.push(Field::text_field(Setting::Workers, settings.workers));
    if improves {
        fields.push(Field::text_field(Setting::Proposer, &settings.proposer));
    }
    fields
}

/// The persistence level of a word.
pub fn persist(word: &str) -> Option<Persist> {
    Persist::ALL.into_iter().find(|level| level.word() == word)
}

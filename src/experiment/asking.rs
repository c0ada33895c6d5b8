//! Who is asked for proposals, and with which settings (spec 07, 1.4 and 10.0).

use crate::document::shortened;
use crate::finding::{meant, nearest};

/// The block `llm` (1.4).
#[derive(Clone, Debug, PartialEq)]
pub struct LlmSettings {
    /// `provider:name`, `script:FILE` or `search`.
    pub model: Option<String>,
    /// Sampling temperature.
    pub temperature: f64,
    /// Calls for one agent in one round, whatever the proposer.
    pub max_retries: u32,
    /// Longest wait for a reply.
    pub timeout_seconds: f64,
    /// Passed on to `anthropic`.
    pub thinking_budget: Option<i64>,
    /// Passed on to `openai`.
    pub reasoning_effort: Option<String>,
    /// Legacy prompt, inline or from its file.
    pub system_prompt: Option<String>,
}

impl Default for LlmSettings {
    fn default() -> Self {
        Self {
            model: None,
            temperature: 0.0,
            max_retries: DEFAULT_MAX_RETRIES,
            timeout_seconds: 120.0,
            thinking_budget: None,
            reasoning_effort: None,
            system_prompt: None,
        }
    }
}

/// Calls for one agent in one round where the file has no `llm` block.
pub const DEFAULT_MAX_RETRIES: u32 = 3;

/// Largest number of tokens of a reply.
pub const MAX_TOKENS: u32 = 35_000;

/// The key `proposer`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProposerKey {
    /// The built-in search.
    Search,
    /// A language model.
    Llm,
    /// A script of proposals, relative to the experiment file.
    Script(String),
}

/// Words for how hard a model thinks.
const EFFORTS: [&str; 7] = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];

/// What is wrong with a word for how hard a model is to think, if anything is.
#[must_use]
pub fn unknown_effort(word: &str) -> Option<String> {
    (!EFFORTS.contains(&word)).then(|| {
        let near = meant(nearest(word, EFFORTS));
        format!("`{}` is no reasoning effort{near} (known: {})", shortened(word), EFFORTS.join(", "))
    })
}

impl ProposerKey {
    /// Reads the word of a file or an option.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "search" => Some(Self::Search),
            "llm" => Some(Self::Llm),
            _ => word
                .strip_prefix("script:")
                .filter(|file| !file.is_empty())
                .map(|f| Self::Script(f.to_owned())),
        }
    }

    /// The word of the file.
    #[must_use]
    pub fn word(&self) -> String {
        match self {
            Self::Search => "search".to_owned(),
            Self::Llm => "llm".to_owned(),
            Self::Script(file) => format!("script:{file}"),
        }
    }
}

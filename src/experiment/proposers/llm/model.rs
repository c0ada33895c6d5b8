//! Which language model is meant, where it is reached and with which key (spec 07, 21).

use std::fmt;
use std::time::Duration;

use genai::adapter::AdapterKind;
use genai::chat::{ChatOptions, ReasoningEffort};

use super::super::Environment;
use crate::experiment::file::{LlmSettings, MAX_TOKENS};

/// A language model that can be asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub(super) provider: String,
    pub(super) name: String,
    pub(super) kind: AdapterKind,
    /// Where it is reached, if not where its provider is.
    pub(super) address: Option<String>,
    pub(super) key: Option<Secret>,
    pub(super) temperature: f64,
    pub(super) timeout: Duration,
    pub(super) reasoning: Reasoning,
}

/// How long a model may think.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reasoning {
    /// As it likes.
    Free,
    /// So many tokens.
    Budget(u32),
    /// A word of the provider's.
    Effort(String),
}

/// A text that is never shown.
#[derive(Clone, PartialEq)]
pub(super) struct Secret(pub(super) String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Why a model cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// It is not written as it should be.
    #[error("model `{0}` is not written `provider:name`")]
    Form(String),
    /// Nobody of that name offers models.
    #[error("model `{model}` is of no known provider")]
    Provider {
        /// As it was written.
        model: String,
        /// The nearest known name.
        nearest: Option<&'static str>,
    },
    /// There is no key for it.
    #[error("model `{model}` needs a key, and the environment has no {variable}")]
    Key {
        /// As it was written.
        model: String,
        /// Where the key is looked for.
        variable: String,
        /// Where the address of another server is looked for.
        address: String,
    },
    /// The word for how long it may think is unknown.
    #[error("`{0}` is no reasoning effort: it is none, minimal, low, medium, high, xhigh or max")]
    Effort(String),
    /// The budget for thinking is out of range.
    #[error("a thinking budget of {0} tokens is out of range: it is 1 to {MAX_TOKENS}")]
    Budget(i64),
}

impl ModelError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Provider { nearest: Some(name), .. } => Some(format!("did you mean `{name}`?")),
            Self::Key { variable, address, .. } => Some(format!(
                "set {variable}, or {address} to the address of a server that needs none, \
                 or use `--proposer search`"
            )),
            _ => None,
        }
    }
}

impl Model {
    /// The model of a name `provider:name`, with the settings of the file.
    ///
    /// # Errors
    /// What is wrong with the name or the settings, or that there is no key.
    pub fn find(
        model: &str,
        settings: &LlmSettings,
        environment: Environment<'_>,
    ) -> Result<Self, ModelError> {
        let parts = model.split_once(':').filter(|(provider, name)| !provider.is_empty() && !name.is_empty());
        let (provider, name) = parts.ok_or_else(|| ModelError::Form(model.to_owned()))?;
        let kind = kind_of(provider, name).ok_or_else(|| ModelError::Provider {
            model: model.to_owned(),
            nearest: crate::finding::nearest(provider, known_providers()),
        })?;
        let set = |variable: &str| environment(variable).filter(|text| !text.trim().is_empty());
        let variable = format!("{}_BASE_URL", provider.to_uppercase());
        let address = set(&variable).map(|address| address.trim().trim_end_matches('/').to_owned() + "/");
        let keys = key_variables(provider, kind);
        let key = keys.iter().find_map(|variable| set(variable)).map(|key| Secret(key.trim().to_owned()));
        if let (None, None, [wanted, ..]) = (&key, &address, keys.as_slice()) {
            let wanted = wanted.clone();
            return Err(ModelError::Key { model: model.to_owned(), variable: wanted, address: variable });
        }
        // A server of one's own speaks the oldest form of the interface.
        let kind = match kind {
            AdapterKind::OpenAIResp if address.is_some() => AdapterKind::OpenAI,
            kind => kind,
        };
        Ok(Self {
            provider: provider.to_owned(),
            name: name.to_owned(),
            kind,
            address,
            key,
            temperature: settings.temperature,
            timeout: Duration::from_secs_f64(settings.timeout_seconds.clamp(0.001, LONGEST_TIMEOUT)),
            reasoning: reasoning(provider, settings)?,
        })
    }

    /// `provider:name`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}:{}", self.provider, self.name)
    }

    /// What is sent with every question.
    pub(super) fn options(&self) -> ChatOptions {
        let options = ChatOptions::default()
            .with_temperature(self.temperature)
            .with_max_tokens(MAX_TOKENS)
            .with_capture_usage(true);
        match &self.reasoning {
            Reasoning::Free => options,
            Reasoning::Budget(tokens) => options.with_reasoning_effort(ReasoningEffort::Budget(*tokens)),
            Reasoning::Effort(word) => match ReasoningEffort::from_keyword(word) {
                Some(effort) => options.with_reasoning_effort(effort),
                None => options,
            },
        }
    }
}

/// Longest wait for a reply, in seconds: a day.
const LONGEST_TIMEOUT: f64 = 86_400.0;

/// Settings of other providers have no effect.
fn reasoning(provider: &str, settings: &LlmSettings) -> Result<Reasoning, ModelError> {
    match (provider, settings.thinking_budget, &settings.reasoning_effort) {
        ("anthropic", Some(tokens), _) => match u32::try_from(tokens) {
            Ok(tokens @ 1..=MAX_TOKENS) => Ok(Reasoning::Budget(tokens)),
            _ => Err(ModelError::Budget(tokens)),
        },
        ("openai", _, Some(word)) => match ReasoningEffort::from_keyword(word) {
            Some(_) => Ok(Reasoning::Effort(word.clone())),
            None => Err(ModelError::Effort(word.clone())),
        },
        _ => Ok(Reasoning::Free),
    }
}

/// Names that providers have here and not in the client.
const OWN_NAMES: [(&str, AdapterKind); 2] =
    [("google", AdapterKind::Gemini), ("gemini", AdapterKind::Gemini)];

fn kind_of(provider: &str, name: &str) -> Option<AdapterKind> {
    if let Some((_, kind)) = OWN_NAMES.iter().find(|(own, _)| *own == provider) {
        return Some(*kind);
    }
    let kind = AdapterKind::all().iter().copied().find(|kind| kind.as_lower_str() == provider)?;
    // Which of its two interfaces a model of OpenAI has, the client knows.
    match (kind, AdapterKind::from_model(name)) {
        (AdapterKind::OpenAI, Ok(AdapterKind::OpenAIResp)) => Some(AdapterKind::OpenAIResp),
        _ => Some(kind),
    }
}

fn known_providers() -> Vec<&'static str> {
    let own = OWN_NAMES.iter().map(|(name, _)| *name);
    own.chain(AdapterKind::all().iter().map(AdapterKind::as_lower_str)).collect()
}

/// Where the key of a provider is looked for; nowhere if it needs none.
fn key_variables(provider: &str, kind: AdapterKind) -> Vec<String> {
    let usual = kind.default_key_env_name().map(str::to_owned);
    match provider {
        "google" => std::iter::once("GOOGLE_API_KEY".to_owned()).chain(usual).collect(),
        _ => usual.into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(model: &str, variables: &[(&str, &str)]) -> Result<Model, ModelError> {
        let look = |wanted: &str| {
            variables.iter().find(|(name, _)| *name == wanted).map(|(_, value)| (*value).to_owned())
        };
        Model::find(model, &LlmSettings::default(), &look)
    }

    #[test]
    fn a_model_needs_a_provider_and_a_key_or_an_address() {
        assert_eq!(found("gpt", &[]), Err(ModelError::Form("gpt".into())));
        assert_eq!(found("openai:", &[]), Err(ModelError::Form("openai:".into())));
        let unknown = found("opnai:gpt-5", &[]);
        assert_eq!(
            unknown,
            Err(ModelError::Provider { model: "opnai:gpt-5".into(), nearest: Some("openai") })
        );
        for (model, key) in [
            ("openai:gpt-5", "OPENAI_API_KEY"),
            ("anthropic:claude", "ANTHROPIC_API_KEY"),
            ("google:gemini-pro", "GOOGLE_API_KEY"),
            ("groq:llama", "GROQ_API_KEY"),
        ] {
            let missing = found(model, &[(key, " ")]);
            assert!(matches!(missing, Err(ModelError::Key { variable, .. }) if variable == key), "{model}");
            assert_eq!(found(model, &[(key, "k")]).map(|model| model.name()), Ok(model.to_owned()));
        }
        assert!(found("ollama:qwen", &[]).is_ok());
    }

    #[test]
    fn an_address_replaces_the_key_and_ends_in_one_slash() {
        for address in ["http://localhost:1/v1", "http://localhost:1/v1//"] {
            let model = found("openai:local:7b", &[("OPENAI_BASE_URL", address)]);
            let model = model.map(|model| (model.name, model.address, model.kind));
            let expected = ("local:7b".into(), Some("http://localhost:1/v1/".into()), AdapterKind::OpenAI);
            assert_eq!(model, Ok(expected));
        }
    }

    #[test]
    fn a_key_is_not_shown() {
        let model = found("openai:gpt-5", &[("OPENAI_API_KEY", "sk-secret")]);
        assert!(!format!("{model:?}").contains("sk-secret"));
    }
}

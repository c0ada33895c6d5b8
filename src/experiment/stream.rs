//! The live events of a run: what is shown while it goes on is what is stored (spec 07, 15; X10, X13).

use serde_json::{Map, Value, json};

use super::proposers::{Answer, Call, Exchange};
use crate::persistence::{LiveEvent, LiveEventRow, Moment};

/// One live event.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamEvent {
    /// Iteration it belongs to, from 0.
    pub iteration: u32,
    /// Kind.
    pub kind: EventKind,
    /// Its fields.
    pub data: Value,
    /// When it was emitted.
    pub timestamp: Moment,
}

macro_rules! kinds {
    ($($(#[doc = $help:literal])+ $variant:ident = $name:literal),+ $(,)?) => {
        /// Kinds of live events, in the order in which they can occur.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EventKind {
            $($(#[doc = $help])+ $variant,)+
        }

        impl EventKind {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name as stored.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// The kind of a stored name.
            #[must_use]
            pub fn find(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.name() == name)
            }
        }
    };
}

kinds! {
    /// The run has started.
    ExperimentStart = "experiment_start",
    /// The context run of an iteration is done and the samples are drawn.
    ContextComplete = "context_simulation_complete",
    /// The policies in force were measured on the samples.
    BootstrapEvaluation = "bootstrap_evaluation",
    /// The policies in force were measured.
    Evaluation = "evaluation",
    /// An iteration begins to look for improvements.
    IterationStart = "iteration_start",
    /// A proposer was called; this is what came of it.
    Interaction = "llm_interaction",
    /// A policy was replaced.
    PolicyChange = "policy_change",
    /// A proposal was refused, or a policy taken back.
    PolicyRejected = "policy_rejected",
    /// The iteration is over.
    IterationMetrics = "iteration_metrics",
    /// How often the proposer was called in the iteration.
    ProposerStats = "llm_stats",
    /// The run has come to its end.
    ExperimentEnd = "experiment_end",
    /// What came of it.
    ExperimentSummary = "experiment_summary",
}

impl StreamEvent {
    /// An event of now.
    #[must_use]
    pub fn new(iteration: u32, kind: EventKind, data: Value) -> Self {
        Self { iteration, kind, data, timestamp: Moment::now() }
    }

    /// The event of a row; `None` if it is of no kind that this program knows, or its fields are no JSON.
    #[must_use]
    pub fn from_row(row: &LiveEventRow) -> Option<Self> {
        Some(Self {
            iteration: row.iteration,
            kind: EventKind::find(&row.event_type)?,
            data: serde_json::from_str(&row.event_data).ok()?,
            timestamp: Moment::parse(&row.timestamp)?,
        })
    }

    /// The row of it.
    #[must_use]
    pub fn to_row(&self) -> LiveEvent {
        LiveEvent {
            iteration: self.iteration,
            event_type: self.kind.name(),
            event_data: self.data.to_string(),
            timestamp: self.timestamp,
        }
    }
}

/// A mapping from agent to something, in the order of the agents.
#[must_use]
pub fn by_agent<T: Into<Value>>(agents: &[String], values: impl IntoIterator<Item = T>) -> Value {
    let pairs = agents.iter().cloned().zip(values.into_iter().map(Into::into));
    Value::Object(pairs.collect::<Map<_, _>>())
}

/// What a call of the proposer came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Interaction {
    /// The agent.
    pub agent: String,
    /// From 1 within the round.
    pub call: u32,
    /// `provider:name`, `script:FILE` or `search`.
    pub model: String,
    /// What was said, and what it took.
    pub exchange: Exchange,
    /// The reply as it came.
    pub raw_response: Option<String>,
    /// The policy, if it was usable.
    pub parsed_policy: Option<Value>,
    /// Why there is none.
    pub parsing_error: Option<String>,
}

impl Interaction {
    /// Fields of the event.
    #[must_use]
    pub fn data(&self) -> Value {
        json!({
            "agent_id": self.agent,
            "call": self.call,
            "system_prompt": self.exchange.system_prompt,
            "user_prompt": self.exchange.user_prompt,
            "raw_response": self.raw_response,
            "parsed_policy": self.parsed_policy,
            "parsing_error": self.parsing_error,
            "model": self.model,
            "prompt_tokens": self.exchange.prompt_tokens,
            "completion_tokens": self.exchange.completion_tokens,
            "latency_seconds": self.exchange.latency_seconds,
        })
    }

    /// The interaction that the fields of an event tell of.
    #[must_use]
    pub fn from_data(data: &Value) -> Self {
        let text = |key: &str| data[key].as_str().map(str::to_owned);
        let word = |key: &str| text(key).unwrap_or_default();
        let count = |key: &str| data[key].as_u64().unwrap_or_default();
        Self {
            agent: word("agent_id"),
            call: u32::try_from(count("call")).unwrap_or(u32::MAX),
            model: word("model"),
            exchange: Exchange {
                system_prompt: word("system_prompt"),
                user_prompt: word("user_prompt"),
                prompt_tokens: count("prompt_tokens"),
                completion_tokens: count("completion_tokens"),
                latency_seconds: data["latency_seconds"].as_f64().unwrap_or_default(),
            },
            raw_response: text("raw_response"),
            parsed_policy: Some(&data["parsed_policy"]).filter(|policy| !policy.is_null()).cloned(),
            parsing_error: text("parsing_error"),
        }
    }

    /// The call as it came out: what failed for whatever reason fails for that reason again.
    #[must_use]
    pub fn to_call(&self) -> Call {
        let answer = match (&self.raw_response, &self.parsed_policy, &self.parsing_error) {
            (None, _, None) => Answer::Declined,
            (None, _, Some(reason)) => Answer::Failed(reason.clone()),
            (Some(raw), Some(policy), _) => Answer::Reply { raw: raw.clone(), policy: Ok(policy.clone()) },
            (Some(raw), None, reason) => {
                Answer::Reply { raw: raw.clone(), policy: Err(reason.clone().unwrap_or_default()) }
            }
        };
        Call { answer, exchange: self.exchange.clone() }
    }
}

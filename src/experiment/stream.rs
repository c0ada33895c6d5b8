//! The live events of a run: what is shown while it goes on is what is stored (spec 07, 15; X10, X13).

use serde_json::{Map, Value, json};

use super::proposers::Exchange;
use crate::persistence::{LiveEvent, Moment};

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
}

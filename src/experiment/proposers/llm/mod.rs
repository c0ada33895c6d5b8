//! Language models as proposers (spec 07, 21): prompts of our own, one question a call, no memory
//! between calls, every exchange kept.

mod client;
mod model;
mod prompt;

use super::{Answer, Call, Exchange, Proposer, Request, Workbench};
use crate::experiment::laboratory::RunError;
use crate::experiment::reply;
use client::{Client, Heard, Listener, Stopped};

pub use model::{Model, ModelError};

/// A model being asked in a run.
pub struct LanguageModel {
    client: Client,
}

impl Model {
    /// Makes ready to ask.
    ///
    /// # Errors
    /// This machine cannot speak to it.
    pub fn start(&self) -> Result<LanguageModel, String> {
        Ok(LanguageModel { client: Client::new(self)? })
    }
}

/// Whoever watches the run hears the reply.
struct Ear<'a>(&'a mut dyn Workbench);

impl Listener for Ear<'_> {
    fn heard(&mut self, piece: &str) {
        self.0.heard(piece);
    }

    fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}

impl Proposer for LanguageModel {
    fn propose(&mut self, request: &Request<'_>, bench: &mut dyn Workbench) -> Result<Call, RunError> {
        let briefing = bench.briefing()?;
        let system_prompt = prompt::system(request, &briefing);
        let user_prompt = prompt::user(request, &briefing);
        let heard = self
            .client
            .ask(&system_prompt, &user_prompt, &mut Ear(bench))
            .map_err(|Stopped| RunError::Cancelled)?;
        let Heard { text, trouble, tokens: (asked, told), latency } = heard;
        let exchange = Exchange {
            prompt_tokens: asked.unwrap_or_else(|| words(&system_prompt) + words(&user_prompt)),
            completion_tokens: told.unwrap_or_else(|| text.as_deref().map_or(0, words)),
            latency_seconds: latency.as_secs_f64(),
            system_prompt,
            user_prompt,
        };
        let answer = match (text, trouble) {
            (Some(raw), Some(trouble)) => Answer::Reply { raw, policy: Err(trouble) },
            (Some(raw), None) => Answer::Reply { policy: reply::read(&raw), raw },
            (None, Some(trouble)) => Answer::Failed(trouble),
            (None, None) => Answer::Failed("an empty reply".to_owned()),
        };
        Ok(Call { answer, exchange })
    }
}

/// Tokens of a text whose provider does not count them (15).
fn words(text: &str) -> u64 {
    text.split_whitespace().count() as u64
}

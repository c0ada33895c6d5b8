//! Asking a language model: the one place that speaks over the network, and the only asynchronous one.
//! To the run it is an ordinary call that takes its time.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use genai::ServiceTarget;
use genai::chat::{ChatMessage, ChatOptions, ChatRequest, ChatStreamEvent, StopReason, StreamEnd, Usage};
use genai::resolver::{AuthData, Endpoint, ServiceTargetResolver};
use tokio::runtime::Runtime;

use super::model::{Model, Secret};

/// How often a waiting call looks whether somebody asked to stop.
const GLANCE: Duration = Duration::from_millis(50);

/// Longest pause that a provider can ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// First pause after a provider was overloaded and did not say for how long; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Most characters of what a server says that go into a reason.
const LONGEST_REASON: usize = 400;

/// A model that can be asked.
pub(super) struct Client {
    runtime: Runtime,
    client: genai::Client,
    model: genai::ModelIden,
    options: ChatOptions,
    timeout: Duration,
    key: Option<Secret>,
    /// Before this moment nothing is asked.
    not_before: Option<Instant>,
    pause: Duration,
}

/// What came back.
#[derive(Debug, PartialEq)]
pub(super) struct Heard {
    /// The text so far; `None` if none came.
    pub text: Option<String>,
    /// Why it is not the whole reply.
    pub trouble: Option<String>,
    /// Tokens of question and reply as the provider counts them.
    pub tokens: (Option<u64>, Option<u64>),
    /// From the question to the end.
    pub latency: Duration,
}

/// Somebody asked to stop.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stopped;

/// What a question is answered with while it is open.
pub(super) trait Listener {
    /// A piece of the reply.
    fn heard(&mut self, piece: &str);
    /// Whether somebody asked to stop.
    fn is_cancelled(&self) -> bool;
}

/// A reply as far as it came.
#[derive(Default)]
struct Reply {
    text: String,
    usage: Option<Usage>,
}

impl Client {
    /// Makes ready to ask a model.
    pub fn new(model: &Model) -> Result<Self, String> {
        let failed = |what: &str, error: &dyn std::fmt::Display| format!("{what}: {error}");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| failed("no thread for the language model", &error))?;
        // Another part of the process may have chosen already: then that one stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let web = reqwest::Client::builder()
            .connect_timeout(model.timeout)
            .build()
            .map_err(|error| failed("no connection to language models", &error))?;
        let (address, key) = (model.address.clone(), model.key.clone());
        let resolver = ServiceTargetResolver::from_resolver_fn(move |mut target: ServiceTarget| {
            if let Some(address) = &address {
                target.endpoint = Endpoint::from_owned(address.as_str());
            }
            // A server that needs no key is sent a word in its place.
            target.auth = AuthData::from_single(key.as_ref().map_or("none", |key| key.0.as_str()));
            Ok::<_, genai::resolver::Error>(target)
        });
        let client = genai::Client::builder()
            .with_reqwest(web)
            .with_service_target_resolver(resolver)
            .build()
            .map_err(|error| failed("no connection to language models", &error))?;
        Ok(Self {
            runtime,
            client,
            model: genai::ModelIden::new(model.kind, model.name.as_str()),
            options: model.options(),
            timeout: model.timeout,
            key: model.key.clone(),
            not_before: None,
            pause: FIRST_PAUSE,
        })
    }

    /// Asks once, and waits for the whole reply.
    pub fn ask(&mut self, system: &str, user: &str, listener: &mut dyn Listener) -> Result<Heard, Stopped> {
        self.wait(listener)?;
        let request = ChatRequest::new(vec![ChatMessage::system(system), ChatMessage::user(user)]);
        let started = Instant::now();
        let mut reply = Reply::default();
        let ended = self.runtime.block_on(async {
            let asked = listen(&self.client, &self.model, request, &self.options);
            let deadline = tokio::time::Instant::now() + self.timeout;
            let mut stream = tokio::select! {
                stream = asked => stream?,
                () = tokio::time::sleep_until(deadline) => return Err(Ending::Late),
                () = cancelled(listener) => return Err(Ending::Stopped),
            };
            loop {
                let event = tokio::select! {
                    event = stream.next() => event,
                    () = tokio::time::sleep_until(deadline) => return Err(Ending::Late),
                    () = cancelled(listener) => return Err(Ending::Stopped),
                };
                match event {
                    Some(Ok(ChatStreamEvent::Chunk(chunk))) => {
                        listener.heard(&chunk.content);
                        reply.text.push_str(&chunk.content);
                    }
                    Some(Ok(ChatStreamEvent::End(end))) => return close(end, &mut reply),
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Err(Ending::Failed(Box::new(error))),
                    None => return Err(Ending::CutOff("the connection ended before the reply")),
                }
            }
        });
        let trouble = match ended {
            Ok(()) => {
                self.pause = FIRST_PAUSE;
                None
            }
            Err(Ending::Stopped) => return Err(Stopped),
            Err(ending) => Some(self.reason(ending)),
        };
        let count = |tokens: Option<i32>| tokens.and_then(|tokens| u64::try_from(tokens).ok());
        let usage = reply.usage.unwrap_or_default();
        Ok(Heard {
            text: Some(self.without_key(&reply.text)).filter(|text| !text.is_empty()),
            trouble,
            tokens: (count(usage.prompt_tokens), count(usage.completion_tokens)),
            latency: started.elapsed(),
        })
    }

    /// Waits as long as an overloaded provider asked for.
    fn wait(&mut self, listener: &dyn Listener) -> Result<(), Stopped> {
        let Some(moment) = self.not_before.take() else { return Ok(()) };
        while Instant::now() < moment {
            if listener.is_cancelled() {
                return Err(Stopped);
            }
            std::thread::sleep(GLANCE.min(moment.saturating_duration_since(Instant::now())));
        }
        Ok(())
    }

    /// Why there is no whole reply, in a line; an overloaded provider is left alone for a while.
    fn reason(&mut self, ending: Ending) -> String {
        let error = match ending {
            Ending::Failed(error) => error,
            Ending::Late => return format!("no reply within {} seconds", self.timeout.as_secs_f64()),
            Ending::CutOff(why) => return format!("the reply was cut off: {why}"),
            Ending::Stopped => return String::new(),
        };
        let error = innermost(&error);
        let status = error.status().map(|status| status.as_u16());
        if status.is_some_and(|status| status == 429 || status >= 500) {
            let asked = error.headers().and_then(|headers| {
                let text = headers.get("retry-after")?.to_str().ok()?;
                text.trim().parse::<f64>().ok().filter(|seconds| seconds.is_finite() && *seconds >= 0.0)
            });
            let pause = match asked {
                Some(seconds) => Duration::from_secs_f64(seconds.min(LONGEST_PAUSE.as_secs_f64())),
                None => self.pause,
            };
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
            self.not_before = Some(Instant::now() + pause);
        }
        let text = match status {
            Some(status) => format!("the provider answers {status}: {}", said(error)),
            None => format!("the provider cannot be reached or understood: {}", said(error)),
        };
        self.without_key(&text)
    }

    /// Servers quote what they were sent.
    fn without_key(&self, text: &str) -> String {
        match &self.key {
            Some(Secret(key)) if key.len() > 3 => text.replace(key.as_str(), "***"),
            _ => text.to_owned(),
        }
    }
}

/// Why a question is over before its reply is whole.
enum Ending {
    Stopped,
    Late,
    CutOff(&'static str),
    Failed(Box<genai::Error>),
}

impl From<genai::Error> for Ending {
    fn from(error: genai::Error) -> Self {
        Self::Failed(Box::new(error))
    }
}

async fn listen(
    client: &genai::Client,
    model: &genai::ModelIden,
    request: ChatRequest,
    options: &ChatOptions,
) -> Result<genai::chat::ChatStream, Ending> {
    Ok(client.exec_chat_stream(model.clone(), request, Some(options)).await?.stream)
}

async fn cancelled(listener: &dyn Listener) {
    while !listener.is_cancelled() {
        tokio::time::sleep(GLANCE).await;
    }
}

/// Takes the end of a reply; one that ran into the limit of tokens is none.
fn close(end: StreamEnd, reply: &mut Reply) -> Result<(), Ending> {
    reply.usage = end.captured_usage;
    match end.captured_stop_reason {
        Some(StopReason::MaxTokens(_)) => Err(Ending::CutOff("it ran into the limit of tokens")),
        Some(StopReason::ContentFilter(_)) => Err(Ending::CutOff("the provider filtered it")),
        _ if reply.text.is_empty() => Err(Ending::CutOff("it is empty")),
        _ => Ok(()),
    }
}

/// The client's own error behind one that it met while it listened.
fn innermost(error: &genai::Error) -> &genai::Error {
    match error {
        genai::Error::WebStream { error: inner, .. } => {
            inner.downcast_ref().map_or(error, |inner| innermost(inner))
        }
        other => other,
    }
}

/// What an error says, on one line.
fn said(error: &genai::Error) -> String {
    use genai::webc::Error as Web;
    let text = match error {
        genai::Error::HttpError { body, .. }
        | genai::Error::WebModelCall { webc_error: Web::ResponseFailedStatus { body, .. }, .. } => {
            message_of(body)
        }
        genai::Error::WebModelCall { webc_error: Web::Reqwest(error), .. } => causes(error),
        genai::Error::WebStream { error, .. } => causes(error.as_ref()),
        genai::Error::ChatResponse { body, .. } => message_of(&body.to_string()),
        other => other.to_string(),
    };
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST_REASON) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

/// An error with everything behind it.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut texts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    texts.join(": ")
}

/// The message in what a server says, if it has one.
fn message_of(body: &str) -> String {
    let parsed: Option<serde_json::Value> = serde_json::from_str(body).ok();
    let message = parsed.as_ref().and_then(|body| {
        let error = body.get("error").unwrap_or(body);
        error.get("message").and_then(|message| message.as_str()).or_else(|| error.as_str())
    });
    message.unwrap_or(body).to_owned()
}

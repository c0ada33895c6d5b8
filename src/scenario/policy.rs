//! The policy of a bank: as written, as a document, and ready for evaluation.

use std::sync::{Arc, OnceLock};

use crate::document::Node;
use crate::finding::{Finding, Findings};
use crate::policy::{BuiltIn, PolicyDocument, Program};

/// A policy as written (spec 01, 2.7).
#[derive(Clone, Debug, PartialEq)]
pub enum PolicySpec {
    /// A built-in type with its keys.
    BuiltIn(BuiltIn),
    /// A document, whichever way it was given.
    Document(Arc<PolicyDocument>),
}

/// A checked policy with its program. Cloning shares document and program.
#[derive(Clone, Debug)]
pub struct Policy {
    spec: PolicySpec,
    document: Arc<PolicyDocument>,
    program: Arc<Program>,
}

/// Two policies are equal if they are written alike.
impl PartialEq for Policy {
    fn eq(&self, other: &Self) -> bool {
        self.spec == other.spec
    }
}

impl Policy {
    /// Checks the keys of a built-in type and resolves the policy.
    ///
    /// # Errors
    /// A key of a built-in type out of its range.
    pub fn new(spec: PolicySpec) -> Result<Self, Findings> {
        let document = match &spec {
            PolicySpec::Document(document) => Arc::clone(document),
            PolicySpec::BuiltIn(policy) => {
                let faults = out_of_range(*policy);
                if faults.has_errors() {
                    return Err(faults);
                }
                Arc::new(PolicyDocument::builtin(*policy))
            }
        };
        let program = Arc::new(Program::compile(&document)?);
        Ok(Self { spec, document, program })
    }

    /// The policy that releases everything at once; built only once.
    ///
    /// # Errors
    /// None in practice: the document is built in.
    pub fn fifo() -> Result<Self, Findings> {
        static FIFO: OnceLock<Result<Policy, Findings>> = OnceLock::new();
        FIFO.get_or_init(|| Self::new(PolicySpec::BuiltIn(BuiltIn::Fifo))).clone()
    }

    /// As written.
    #[must_use]
    pub const fn spec(&self) -> &PolicySpec {
        &self.spec
    }

    /// The document; that of spec 04, 9.1 for a built-in type.
    #[must_use]
    pub const fn document(&self) -> &Arc<PolicyDocument> {
        &self.document
    }

    /// Ready for evaluation.
    #[must_use]
    pub const fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// The `policy` mapping of a scenario; a document stands in it as `Inline`.
    #[must_use]
    pub fn to_node(&self) -> Node {
        match &self.spec {
            PolicySpec::BuiltIn(policy) => {
                let keys = policy.parameters().into_iter().map(|(key, value)| (key, Node::int(value)));
                Node::map([("type", Node::text(policy.name()))].into_iter().chain(keys))
            }
            PolicySpec::Document(document) => Node::map([
                ("type", Node::text("Inline")),
                ("decision_trees", Node::from_json(document.to_json())),
            ]),
        }
    }
}

/// Bounds of a key of a built-in type (spec 01, 2.7).
pub(super) const fn bounds(key: &str) -> (i64, i64) {
    match key.as_bytes() {
        b"max_splits" | b"num_splits" => (2, 10),
        b"target_buffer" => (0, i64::MAX),
        _ => (1, i64::MAX),
    }
}

fn out_of_range(policy: BuiltIn) -> Findings {
    let fault = |(key, value): (&'static str, i64)| {
        let (low, high) = bounds(key);
        let message = format!("`{key}` is {value}; it must be {low} to {high}");
        (!(low..=high).contains(&value)).then(|| Finding::error(key, None, message))
    };
    Findings(policy.parameters().into_iter().filter_map(fault).collect())
}

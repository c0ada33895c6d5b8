//! The policies of the banks (spec 01, 2.7).

use std::collections::HashMap;
use std::sync::Arc;

use super::agents::PolicyItem;
use super::{FileKind, Files};
use crate::document::{Item, Reader, Report, shortened};
use crate::finding::{Finding, Findings};
use crate::policy::{BuiltIn, PolicyDocument};
use crate::scenario::policy::{Policy, PolicySpec, bounds};

#[derive(Clone, Copy)]
enum Type {
    Fifo,
    Deadline,
    LiquidityAware,
    LiquiditySplitting,
    MockSplitting,
    FromJson,
    Inline,
    InlineJson,
}

const TYPES: [(&str, Type); 8] = [
    ("Fifo", Type::Fifo),
    ("Deadline", Type::Deadline),
    ("LiquidityAware", Type::LiquidityAware),
    ("LiquiditySplitting", Type::LiquiditySplitting),
    ("MockSplitting", Type::MockSplitting),
    ("FromJson", Type::FromJson),
    ("Inline", Type::Inline),
    ("InlineJson", Type::InlineJson),
];

/// One policy for each bank; a bank without one gets Fifo.
pub(super) fn read(items: &[PolicyItem<'_>], files: &dyn Files, report: &Report) -> Option<Vec<Policy>> {
    let mut policies = Policies { files, report, known: HashMap::new() };
    let read = items.iter().map(|PolicyItem { bank, item }| match item {
        Some(item) => policies.read(item.clone(), bank),
        None => Policy::fifo().ok(),
    });
    let read: Vec<Option<Policy>> = read.collect();
    read.into_iter().collect()
}

struct Policies<'a> {
    files: &'a dyn Files,
    report: &'a Report,
    /// Every file is read once, whoever names it.
    known: HashMap<String, Option<Policy>>,
}

impl Policies<'_> {
    fn read(&mut self, item: Item<'_>, bank: &str) -> Option<Policy> {
        let path = item.path.clone();
        let mut section = item.mapping()?;
        let policy = match section.alternative("type", &TYPES)? {
            Type::FromJson => section.required("json_path", |item| self.policy_file(&item, bank)),
            Type::Inline => section.required("decision_trees", |item| {
                self.document(bank, None, |findings| PolicyDocument::read(item.node, &item.path, findings))
            }),
            Type::InlineJson => section.required("json_string", |item| {
                let text = item.str()?;
                self.document(bank, Some("json_string"), |findings| {
                    PolicyDocument::from_json_text(text, &path, findings)
                })
            }),
            built_in => built_in_policy(built_in, &mut section)
                .and_then(|policy| self.keep(bank, None, Policy::new(PolicySpec::BuiltIn(policy)))),
        };
        section.finish();
        policy
    }

    fn policy_file(&mut self, item: &Item<'_>, bank: &str) -> Option<Policy> {
        let path = item.str()?;
        if let Some(policy) = self.known.get(path) {
            if policy.is_none() {
                let path = shortened(path);
                item.error(format!(
                    "bank `{bank}`: policy file `{path}` can not be used, as reported before"
                ));
            }
            return policy.clone();
        }
        let policy = match self.files.read(path, FileKind::Policy) {
            Ok(file) => self.document(bank, Some(&file.name), |findings| {
                PolicyDocument::from_json_text(&file.text, &item.path, findings)
            }),
            Err(reason) => {
                item.error(format!("bank `{bank}`: no policy file `{}`: {reason}", shortened(path)));
                None
            }
        };
        self.known.insert(path.to_owned(), policy.clone());
        policy
    }

    fn document(
        &self,
        bank: &str,
        source: Option<&str>,
        read: impl FnOnce(&mut Findings) -> Option<PolicyDocument>,
    ) -> Option<Policy> {
        let mut findings = Findings::default();
        let document = read(&mut findings);
        self.hand_on(bank, source, findings);
        self.keep(bank, source, Policy::new(PolicySpec::Document(Arc::new(document?))))
    }

    fn keep(&self, bank: &str, source: Option<&str>, policy: Result<Policy, Findings>) -> Option<Policy> {
        policy.map_err(|findings| self.hand_on(bank, source, findings)).ok()
    }

    /// Names bank and source; a place inside another text stands in the message, as the place of a
    /// finding is one in the scenario.
    fn hand_on(&self, bank: &str, source: Option<&str>, findings: Findings) {
        for finding in findings.0 {
            let place = match (source, finding.position) {
                (Some(source), Some(at)) => format!("`{source}`, line {}, column {}: ", at.line, at.column),
                (Some(source), None) => format!("`{source}`: "),
                (None, _) => String::new(),
            };
            let position = finding.position.filter(|_| source.is_none());
            let message = format!("bank `{bank}`: {place}{}", finding.message);
            self.report.push(Finding { position, message, ..finding });
        }
    }
}

fn built_in_policy(kind: Type, section: &mut Reader<'_>) -> Option<BuiltIn> {
    let mut key = |name: &'static str| {
        let (low, high) = bounds(name);
        section.required(name, |item| item.integer(low..=high))
    };
    Some(match kind {
        Type::Deadline => BuiltIn::Deadline { urgency_threshold: key("urgency_threshold")? },
        Type::LiquidityAware => {
            let (target_buffer, urgency_threshold) = (key("target_buffer"), key("urgency_threshold"));
            BuiltIn::LiquidityAware { target_buffer: target_buffer?, urgency_threshold: urgency_threshold? }
        }
        Type::LiquiditySplitting => {
            let (max_splits, min_split_amount) = (key("max_splits"), key("min_split_amount"));
            BuiltIn::LiquiditySplitting { max_splits: max_splits?, min_split_amount: min_split_amount? }
        }
        Type::MockSplitting => BuiltIn::MockSplitting { num_splits: key("num_splits")? },
        Type::Fifo | Type::FromJson | Type::Inline | Type::InlineJson => BuiltIn::Fifo,
    })
}

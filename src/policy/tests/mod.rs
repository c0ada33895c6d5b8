//! The language as a whole: documents in, decisions out.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails where it unwraps")]

mod checking;
mod deciding;
pub(crate) mod random;
mod reading;

use std::cell::Cell;

use super::{BankDecision, Facts, Field, PaymentDecision, PolicyDocument, Program};
use crate::finding::{Finding, Findings, Severity};

/// A bank and a payment whose figures are given by a function; counts what was asked.
struct Known<F>(F, Cell<usize>);

impl<F: Fn(Field) -> f64> Known<F> {
    fn new(figures: F) -> Self {
        Self(figures, Cell::new(0))
    }
}

impl<F: Fn(Field) -> f64> Facts for Known<F> {
    fn field(&self, field: Field) -> f64 {
        self.1.set(self.1.get() + 1);
        (self.0)(field)
    }
}

fn nothing() -> Known<fn(Field) -> f64> {
    Known::new(|_| 0.0)
}

/// A document with these trees and parameters, as JSON.
fn document(rest: &str) -> String {
    format!(r#"{{"version": "1.0", "policy_id": "demo", {rest}}}"#)
}

/// A document whose payment tree is this node.
fn paying(node: &str) -> String {
    document(&format!(r#""payment_tree": {node}"#))
}

/// A document that releases everything and has this bank tree.
fn banking(node: &str) -> String {
    document(&format!(r#""payment_tree": {}, "bank_tree": {node}"#, action("p", "Release", "")))
}

/// An action node; arguments as `"name": {…}, …`.
fn action(id: &str, name: &str, arguments: &str) -> String {
    format!(r#"{{"type": "action", "node_id": "{id}", "action": "{name}", "parameters": {{{arguments}}}}}"#)
}

/// A condition that releases if it holds and else holds the payment.
fn asking(condition: &str) -> String {
    let (yes, no) = (action("yes", "Release", ""), action("no", "Hold", ""));
    format!(
        r#"{{"type": "condition", "node_id": "q", "condition": {condition}, "on_true": {yes},
        "on_false": {no}}}"#
    )
}

fn read(text: &str) -> (Option<PolicyDocument>, Findings) {
    let mut findings = Findings::default();
    let document = PolicyDocument::from_json_text(text, "", &mut findings);
    assert_eq!(document.is_none(), findings.has_errors(), "{findings:?}");
    (document, findings)
}

#[track_caller]
fn accepted(text: &str) -> PolicyDocument {
    let (document, findings) = read(text);
    document.unwrap_or_else(|| panic!("refused: {findings:?}"))
}

#[track_caller]
fn program(text: &str) -> Program {
    Program::compile(&accepted(text)).unwrap()
}

/// Kind and path of every error.
fn errors(text: &str) -> Vec<(&'static str, String)> {
    read(text).1.errors().map(|finding| (finding.kind, finding.path.clone())).collect()
}

fn warnings(text: &str) -> Vec<Finding> {
    let (_, findings) = read(text);
    assert!(!findings.has_errors(), "{findings:?}");
    findings.0.into_iter().filter(|finding| finding.severity == Severity::Warning).collect()
}

/// The decision of a payment tree that is this action.
#[track_caller]
fn decided(name: &str, arguments: &str) -> PaymentDecision {
    program(&paying(&action("a", name, arguments))).decide_payment(&nothing()).unwrap()
}

/// The decision of a bank tree that is this action.
#[track_caller]
fn bank_decided(name: &str, arguments: &str) -> BankDecision {
    program(&banking(&action("a", name, arguments))).decide_bank(&nothing()).unwrap()
}

/// The number that an operand gives, as a register would be set to it.
#[track_caller]
fn number(operand: &str, figures: impl Fn(Field) -> f64) -> f64 {
    let arguments = format!(r#""key": {{"value": "bank_state_x"}}, "value": {operand}"#);
    let program = program(&banking(&action("a", "SetState", &arguments)));
    match program.decide_bank(&Known::new(figures)).unwrap() {
        BankDecision::Register { value, .. } => value,
        other => panic!("{other:?}"),
    }
}

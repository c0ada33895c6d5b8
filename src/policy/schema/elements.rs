//! Every element of the language in one form, from the registry rows and the document format.

use super::Section;
use crate::policy::actions::{ACTIONS, ActionRow};
use crate::policy::ast::TreeKind;
use crate::policy::category::Category;
use crate::policy::fields::{FIELDS, FieldRow, REGISTER_HELP};
use crate::policy::operators::{COMPUTATIONS, EXPRESSIONS, OperatorRow};

/// A key or an argument of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its key.
    pub name: &'static str,
    /// What it takes.
    pub kind: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// One line.
    pub help: &'static str,
    /// The words with a meaning, if it takes words.
    pub words: &'static [&'static str],
}

/// An element of the language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// Name in words.
    pub name: &'static str,
    /// What a document writes.
    pub key: &'static str,
    /// Category.
    pub category: Category,
    /// One line.
    pub help: &'static str,
    /// Exact meaning, where the line does not say it.
    pub semantics: Option<&'static str>,
    /// Keys or arguments.
    pub parameters: Vec<Parameter>,
    /// Trees in which it stands.
    pub trees: &'static [TreeKind],
    /// A document fragment.
    pub example: Option<String>,
    /// Type of its value.
    pub data_type: Option<&'static str>,
    /// Unit of its value.
    pub unit: Option<&'static str>,
}

const EVERY: &[TreeKind] = &TreeKind::ALL;

impl Element {
    const fn new(key: &'static str, name: &'static str, category: Category, help: &'static str) -> Self {
        Self {
            name,
            key,
            category,
            help,
            semantics: None,
            parameters: Vec::new(),
            trees: EVERY,
            example: None,
            data_type: None,
            unit: None,
        }
    }

    fn with_keys(mut self, keys: &[(&'static str, &'static str, bool, &'static str)]) -> Self {
        let parameter = |&(name, kind, required, help)| Parameter { name, kind, required, help, words: &[] };
        self.parameters = keys.iter().map(parameter).collect();
        self
    }

    fn with_example(mut self, example: &str) -> Self {
        self.example = Some(example.to_owned());
        self
    }
}

/// The elements of a section.
pub(super) fn of(section: Section) -> Vec<Element> {
    match section {
        Section::Trees => trees(),
        Section::Nodes => nodes(),
        Section::Expressions => EXPRESSIONS.iter().map(|row| operator(row, "bool")).collect(),
        Section::Values => values(),
        Section::Computations => COMPUTATIONS.iter().map(|row| operator(row, "f64")).collect(),
        Section::Actions => ACTIONS.iter().map(action).collect(),
        Section::Fields => FIELDS.iter().map(field).chain([register()]).collect(),
    }
}

fn trees() -> Vec<Element> {
    let tree = |kind: TreeKind, trees, help, semantics| Element {
        trees,
        semantics: Some(semantics),
        ..Element::new(kind.key(), kind.key(), Category::TreeType, help)
    };
    vec![
        tree(
            TreeKind::Payment,
            &[TreeKind::Payment],
            "Decides about each payment.",
            "required; asked in every tick for every payment of the bank in queue 1 and in queue 2",
        ),
        tree(
            TreeKind::Bank,
            &[TreeKind::Bank],
            "Sets the bank's release budget or a register.",
            "once per bank and tick, before payments are judged",
        ),
        tree(
            TreeKind::StrategicCollateral,
            &[TreeKind::StrategicCollateral],
            "Posts or withdraws collateral for the tick to come.",
            "once per bank and tick, before the bank tree",
        ),
        tree(
            TreeKind::EndOfTickCollateral,
            &[TreeKind::EndOfTickCollateral],
            "Posts or withdraws collateral after the tick's settlement.",
            "once per bank and tick, after settlement",
        ),
    ]
}

fn nodes() -> Vec<Element> {
    vec![
        Element {
            semantics: Some("leads to `on_true` or `on_false`"),
            ..Element::new("condition", "Condition", Category::NodeType, "Asks a question.")
        }
        .with_keys(&[
            ("node_id", "text", true, "Unique in the document."),
            ("description", "text", false, "Not interpreted."),
            ("condition", "expression", true, "The question."),
            ("on_true", "node", true, "Where a true answer leads."),
            ("on_false", "node", true, "Where a false answer leads."),
        ])
        .with_example(
            r#"{"type": "condition", "node_id": "urgent",
 "condition": {"op": "<=", "left": {"field": "ticks_to_deadline"}, "right": {"value": 2}},
 "on_true": {"type": "action", "node_id": "release", "action": "Release"},
 "on_false": {"type": "action", "node_id": "wait", "action": "Hold"}}"#,
        ),
        Element {
            semantics: Some("ends the walk through the tree"),
            ..Element::new("action", "Action", Category::NodeType, "Decides.")
        }
        .with_keys(&[
            ("node_id", "text", true, "Unique in the document."),
            ("action", "text", true, "Name of the action."),
            ("parameters", "mapping of operands", false, "Arguments of the action."),
        ])
        .with_example(r#"{"type": "action", "node_id": "release", "action": "Release"}"#),
    ]
}

fn values() -> Vec<Element> {
    let value = |key, name, help, semantics, data_type, example: &str| {
        Element {
            semantics: Some(semantics),
            data_type: Some(data_type),
            ..Element::new(key, name, Category::ValueType, help)
        }
        .with_example(example)
    };
    vec![
        value(
            "field",
            "Field",
            "A figure of the context.",
            "a name that begins with `bank_state_` and is not set reads 0",
            "f64",
            r#"{"field": "balance"}"#,
        ),
        value(
            "param",
            "Param",
            "A named constant of the document.",
            "an entry of `parameters`",
            "f64",
            r#"{"param": "urgency_threshold"}"#,
        ),
        value(
            "value",
            "Literal",
            "A literal.",
            "among numbers a number, or a boolean as 1 or 0; some arguments take texts or lists",
            "any",
            r#"{"value": 5}"#,
        ),
        value(
            "compute",
            "Compute",
            "The result of a computation.",
            "all numbers are 64-bit floats",
            "f64",
            r#"{"compute": {"op": "-", "left": {"field": "balance"}, "right": {"field": "amount"}}}"#,
        ),
    ]
}

fn operator<T>(row: &OperatorRow<T>, data_type: &'static str) -> Element {
    let parameter = |&(name, kind, help)| Parameter { name, kind, required: true, help, words: &[] };
    Element {
        semantics: Some(row.semantics),
        parameters: row.keys.iter().map(parameter).collect(),
        data_type: Some(data_type),
        ..Element::new(row.key, row.name, row.category, row.help)
    }
    .with_example(row.example)
}

fn action(row: &ActionRow) -> Element {
    let parameters = row.arguments.iter().map(|argument| Parameter {
        name: argument.name,
        kind: argument.kind.name(),
        required: argument.required,
        help: argument.help,
        words: argument.kind.words(),
    });
    Element {
        parameters: parameters.collect(),
        trees: row.trees,
        example: Some(action_example(row)),
        ..Element::new(row.name, row.name, row.category, row.help)
    }
}

/// An action node with every required argument.
fn action_example(row: &ActionRow) -> String {
    use crate::policy::actions::ArgumentKind;
    let value = |name: &str, kind: ArgumentKind| match kind {
        ArgumentKind::Number if name == "stagger_first_now" => "1".to_owned(),
        ArgumentKind::Number => "5".to_owned(),
        ArgumentKind::Parts => "2".to_owned(),
        ArgumentKind::Text => "\"bank_state_counter\"".to_owned(),
        ArgumentKind::Texts => "[\"BANK_B\"]".to_owned(),
        ArgumentKind::Choice(words) | ArgumentKind::Wish(words) => {
            format!("{:?}", words.first().unwrap_or(&""))
        }
    };
    let required = row.arguments.iter().filter(|argument| argument.required);
    let arguments: Vec<String> = required
        .map(|argument| {
            format!("{:?}: {{\"value\": {}}}", argument.name, value(argument.name, argument.kind))
        })
        .collect();
    let parameters = match arguments.as_slice() {
        [] => String::new(),
        arguments => format!(", \"parameters\": {{{}}}", arguments.join(", ")),
    };
    format!(r#"{{"type": "action", "node_id": "a1", "action": "{}"{parameters}}}"#, row.name)
}

fn field(row: &FieldRow) -> Element {
    Element {
        trees: row.trees,
        data_type: Some("f64"),
        unit: Some(row.unit),
        ..Element::new(row.name, row.name, row.category, row.help)
    }
    .with_example(&format!(r#"{{"field": "{}"}}"#, row.name))
}

fn register() -> Element {
    Element {
        data_type: Some("f64"),
        ..Element::new("bank_state_*", "bank_state_*", Category::StateRegisterField, REGISTER_HELP)
    }
    .with_example(r#"{"field": "bank_state_counter"}"#)
}

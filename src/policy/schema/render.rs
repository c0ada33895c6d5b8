//! The policy listing as markdown and as JSON (spec 04, 11.2).

use std::fmt::Write as _;

use serde_json::{Map, Value as Json, json};

use super::elements::{Element, Parameter};
use super::{GENERATED_AT, PolicyFilter, Section, VERSION};
use crate::policy::category::Category;

/// The listing as a JSON object: `version`, `generated_at`, then one list per section.
#[must_use]
pub fn policy_json(filter: &PolicyFilter) -> Json {
    let mut listing = Map::new();
    listing.insert("version".to_owned(), json!(VERSION));
    listing.insert("generated_at".to_owned(), json!(GENERATED_AT));
    for section in Section::ALL {
        let elements = filter.elements(section);
        let elements = elements.iter().map(|element| element_json(element, filter.no_examples)).collect();
        listing.insert(section.key().to_owned(), Json::Array(elements));
    }
    Json::Object(listing)
}

fn element_json(element: &Element, no_examples: bool) -> Json {
    let example = element.example.as_ref().filter(|_| !no_examples);
    json!({
        "name": element.name,
        "json_key": element.key,
        "category": element.category.name(),
        "description": element.help,
        "semantics": element.semantics,
        "parameters": element.parameters.iter().map(parameter_json).collect::<Vec<_>>(),
        "valid_in_trees": element.trees.iter().map(|tree| tree.key()).collect::<Vec<_>>(),
        "example_json": example.and_then(|text| serde_json::from_str::<Json>(text).ok()),
        "source_location": null,
        "see_also": [],
        "data_type": element.data_type,
        "unit": element.unit,
        "added_in": VERSION,
    })
}

fn parameter_json(parameter: &Parameter) -> Json {
    let words = Some(parameter.words).filter(|words| !words.is_empty());
    json!({
        "name": parameter.name,
        "param_type": parameter.kind,
        "required": parameter.required,
        "description": parameter.help,
        "example": words.and_then(|words| words.first()),
        "valid_values": words,
    })
}

/// The listing as markdown.
#[must_use]
pub fn policy_markdown(filter: &PolicyFilter) -> String {
    let mut out = format!("# Policy Schema Reference\n\n> Generated: {GENERATED_AT}\n> Version: {VERSION}\n");
    for section in Section::ALL {
        let elements = filter.elements(section);
        if elements.is_empty() {
            continue;
        }
        let _ = write!(out, "\n## {}\n", section.title());
        let mut categories: Vec<Category> = elements.iter().map(|element| element.category).collect();
        categories.sort_by_key(|category| category.name());
        categories.dedup();
        for category in categories {
            let _ = write!(out, "\n### {}\n", words(category.name()));
            for element in elements.iter().filter(|element| element.category == category) {
                write_element(element, filter, &mut out);
            }
        }
    }
    out
}

/// `ComparisonOperator` as `Comparison Operator`.
fn words(name: &str) -> String {
    let mut out = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !out.is_empty() {
            out.push(' ');
        }
        out.push(character);
    }
    out
}

fn write_element(element: &Element, filter: &PolicyFilter, out: &mut String) {
    let _ = if element.key == element.name {
        write!(out, "\n#### `{}`\n\n{}\n", element.name, element.help)
    } else {
        write!(out, "\n#### `{}` ({})\n\n{}\n", element.key, element.name, element.help)
    };
    if filter.compact {
        return;
    }
    if let Some(semantics) = element.semantics {
        let _ = write!(out, "\n**Semantics**: {semantics}\n");
    }
    if let Some(data_type) = element.data_type {
        let unit = element.unit.map(|unit| format!(" ({unit})")).unwrap_or_default();
        let _ = write!(out, "\n**Type**: {data_type}{unit}\n");
    }
    let trees: Vec<String> = element.trees.iter().map(|tree| format!("`{}`", tree.key())).collect();
    let _ = write!(out, "\n**Valid in**: {}\n", trees.join(", "));
    if !element.parameters.is_empty() {
        out.push_str("\n**Parameters**:\n\n");
        for parameter in &element.parameters {
            write_parameter(parameter, out);
        }
    }
    if let Some(example) = element.example.as_ref().filter(|_| !filter.no_examples) {
        let pretty =
            serde_json::from_str::<Json>(example).and_then(|json| serde_json::to_string_pretty(&json));
        let _ = write!(out, "\n**Example**:\n\n```json\n{}\n```\n", pretty.as_ref().unwrap_or(example));
    }
}

fn write_parameter(parameter: &Parameter, out: &mut String) {
    let Parameter { name, kind, help, .. } = parameter;
    let required = if parameter.required { " (required)" } else { "" };
    let words = match parameter.words {
        [] => String::new(),
        words => format!(" One of {}.", words.join(", ")),
    };
    let _ = writeln!(out, "- `{name}`: {kind}{required} - {help}{words}");
}

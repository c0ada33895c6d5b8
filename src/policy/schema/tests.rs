#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use super::*;
use crate::document;
use crate::finding::Findings;
use crate::policy::PolicyDocument;

fn keys(filter: &PolicyFilter) -> Vec<&'static str> {
    Section::ALL.iter().flat_map(|section| filter.elements(*section)).map(|element| element.key).collect()
}

#[test]
fn a_section_is_listed_alone() {
    let filter = PolicyFilter { sections: vec![Section::Values], ..PolicyFilter::default() };
    assert_eq!(keys(&filter), ["field", "param", "value", "compute"]);
    let json = policy_json(&filter);
    assert_eq!(json["values"][2]["name"], "Literal");
    assert_eq!(json["values"][2]["data_type"], "any");
    assert_eq!(json["fields"].as_array().map(Vec::len), Some(0));
    assert!(policy_markdown(&filter).contains("#### `value` (Literal)\n\nA literal."));
}

#[test]
fn categories_and_trees_narrow_the_listing() {
    let categories = Selection::new(&[Category::BankAction, Category::UnaryMath], &[], &Toggles::default());
    let filter = PolicyFilter { categories, trees: vec![TreeKind::Payment], ..PolicyFilter::default() };
    assert_eq!(keys(&filter), ["ceil", "floor", "round", "abs"]);
    let bank = PolicyFilter { trees: vec![TreeKind::Bank], ..PolicyFilter::default() };
    assert!(keys(&bank).contains(&"SetState") && !keys(&bank).contains(&"amount"));
}

#[test]
fn switches_join_the_categories_asked_for() {
    let include = |set: &[Category]| Toggles::Include(set.iter().copied().collect());
    let asked = [Category::CostField, Category::TimeField];
    let joined = Selection::new(&asked, &[], &include(&[Category::TimeField, Category::AgentField]));
    assert!(joined.keeps(Category::TimeField) && !joined.keeps(Category::CostField));
    let replaced = Selection::new(&[], &[], &include(&[Category::AgentField]));
    assert!(replaced.keeps(Category::AgentField) && !replaced.keeps(Category::TimeField));
    let disjoint = Selection::new(&asked, &[], &include(&[Category::AgentField]));
    assert!(disjoint.keeps(Category::QueueField), "nothing included means everything");
    let excluded = Toggles::Exclude([Category::TimeField].into());
    assert!(!Selection::new(&asked, &[], &excluded).keeps(Category::TimeField));
}

#[test]
fn every_action_example_is_a_policy() {
    let actions = PolicyFilter { sections: vec![Section::Actions], ..PolicyFilter::default() };
    for element in actions.elements(Section::Actions) {
        let tree = element.trees[0];
        let example = element.example.clone().unwrap();
        let payment = match tree {
            TreeKind::Payment => String::new(),
            _ => r#","payment_tree":{"type":"action","node_id":"p","action":"Release"}"#.to_owned(),
        };
        let text = format!(r#"{{"version":"1","policy_id":"x","{}":{example}{payment}}}"#, tree.key());
        let mut findings = Findings::default();
        let read = PolicyDocument::from_json_text(&text, "", &mut findings);
        assert!(read.is_some(), "{}: {findings:?}", element.key);
    }
}

#[test]
fn every_example_is_json() {
    for section in Section::ALL {
        for element in PolicyFilter::default().elements(section) {
            if let Some(example) = &element.example {
                assert!(document::parse_json(example).is_ok(), "{}", element.key);
            }
        }
    }
}

#[test]
fn an_element_says_everything_in_markdown() {
    let categories = Selection::new(&[Category::RtgsAction], &[], &Toggles::default());
    let filter = PolicyFilter { categories, no_examples: true, ..PolicyFilter::default() };
    let text = policy_markdown(&filter);
    assert!(text.starts_with(
        "# Policy Schema Reference\n\n> Generated: 2025-01-01T00:00:00Z\n> Version: 1.0\n\n## Actions\n\n\
         ### Rtgs Action\n"
    ));
    assert!(text.contains("**Valid in**: `payment_tree`"));
    assert!(text.contains("- `rtgs_priority`: text (required) - Class"));
    assert!(!text.contains("**Example**"));
    let compact = policy_markdown(&PolicyFilter { compact: true, ..filter });
    assert!(!compact.contains("**Valid in**") && compact.contains("#### `ResubmitToRtgs`"));
}

#[test]
fn costs_are_listed_by_category_and_name() {
    let json = cost_json(&CostFilter::default());
    assert_eq!(json["cost_types"].as_array().map(Vec::len), Some(9));
    assert_eq!(json["cost_types"][3]["added_in"], "1.1");
    assert_eq!(json["cost_types"][5]["default_value"], "1,000");
    let categories = Selection::new(&[CostCategory::Modifier], &[], &Toggles::default());
    let exclude = vec!["overdue_delay_multiplier".to_owned()];
    let one = CostFilter { categories, exclude, ..CostFilter::default() };
    let text = cost_markdown(&one);
    assert!(text.contains("## Cost Modifiers") && !text.contains("Per-Tick"));
    assert!(text.contains("### Priority Delay Multipliers (`priority_delay_multipliers`)"));
    assert!(!text.contains("(`overdue_delay_multiplier`)"));
    let compact = cost_markdown(&CostFilter { compact: true, ..one });
    assert!(compact.contains(
        "| `priority_delay_multipliers` | Modifier | None (all priorities use same rate) | multiplier struct | \
         Priority Delay Multipliers |"
    ));
}

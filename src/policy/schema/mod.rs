//! The manual of the language and of the costs, made from the registry rows (spec 04, 11.2 and 11.3).

mod cost;
mod elements;
mod render;

use std::collections::BTreeSet;

use super::ast::TreeKind;
use super::category::{Category, CostCategory, Toggles};

pub use cost::{COSTS, CostFilter, CostRow, cost_json, cost_markdown};
pub use elements::{Element, Parameter};
pub use render::{policy_json, policy_markdown};

/// Version of both listings.
const VERSION: &str = "1.0";

/// Time of both listings, fixed so that they do not differ from run to run.
const GENERATED_AT: &str = "2025-01-01T00:00:00Z";

/// A part of the policy listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// The trees of a policy.
    Trees,
    /// The nodes of a tree.
    Nodes,
    /// Conditions.
    Expressions,
    /// Forms of operands.
    Values,
    /// Arithmetic.
    Computations,
    /// What an action node can do.
    Actions,
    /// What a policy can read.
    Fields,
}

impl Section {
    /// All sections in their order.
    pub const ALL: [Self; 7] = [
        Self::Trees,
        Self::Nodes,
        Self::Expressions,
        Self::Values,
        Self::Computations,
        Self::Actions,
        Self::Fields,
    ];

    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trees => "trees",
            Self::Nodes => "nodes",
            Self::Expressions => "expressions",
            Self::Values => "values",
            Self::Computations => "computations",
            Self::Actions => "actions",
            Self::Fields => "fields",
        }
    }

    /// The key of the JSON listing.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Trees => "tree_types",
            Self::Nodes => "node_types",
            other => other.name(),
        }
    }

    /// The heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Trees => "Tree Types",
            Self::Nodes => "Node Types",
            Self::Expressions => "Expressions",
            Self::Values => "Value Types",
            Self::Computations => "Computations",
            Self::Actions => "Actions",
            Self::Fields => "Context Fields",
        }
    }

    /// The section of a name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|section| section.name() == name)
    }
}

/// Categories to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection<C> {
    include: BTreeSet<C>,
    exclude: BTreeSet<C>,
}

/// Everything is listed.
impl<C> Default for Selection<C> {
    fn default() -> Self {
        Self { include: BTreeSet::new(), exclude: BTreeSet::new() }
    }
}

impl<C: Copy + Ord> Selection<C> {
    /// Joins the categories asked for with a scenario's switches: what the switches include is
    /// intersected with what was asked for, or replaces it; what they exclude is added. Nothing
    /// included means that everything is.
    #[must_use]
    pub fn new(include: &[C], exclude: &[C], toggles: &Toggles<C>) -> Self {
        let mut selection =
            Self { include: include.iter().copied().collect(), exclude: exclude.iter().copied().collect() };
        match toggles {
            Toggles::Everything => {}
            Toggles::Include(set) if selection.include.is_empty() => selection.include.clone_from(set),
            Toggles::Include(set) => selection.include.retain(|category| set.contains(category)),
            Toggles::Exclude(set) => selection.exclude.extend(set),
        }
        selection
    }

    /// Whether a category is listed.
    #[must_use]
    pub fn keeps(&self, category: C) -> bool {
        (self.include.is_empty() || self.include.contains(&category)) && !self.exclude.contains(&category)
    }
}

/// What of the policy language is listed, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyFilter {
    /// Sections; none means all.
    pub sections: Vec<Section>,
    /// Categories.
    pub categories: Selection<Category>,
    /// Trees; none means all.
    pub trees: Vec<TreeKind>,
    /// Leave examples out.
    pub no_examples: bool,
    /// Names and descriptions only, in markdown.
    pub compact: bool,
}

impl PolicyFilter {
    fn keeps(&self, section: Section, element: &Element) -> bool {
        let in_tree = self.trees.is_empty() || element.trees.iter().any(|tree| self.trees.contains(tree));
        let in_section = self.sections.is_empty() || self.sections.contains(&section);
        in_section && in_tree && self.categories.keeps(element.category)
    }

    /// The elements of a section that are listed.
    #[must_use]
    pub fn elements(&self, section: Section) -> Vec<Element> {
        elements::of(section).into_iter().filter(|element| self.keeps(section, element)).collect()
    }
}

/// Categories of costs in the order of the listing.
const COST_CATEGORIES: [CostCategory; 4] =
    [CostCategory::PerTick, CostCategory::OneTime, CostCategory::Daily, CostCategory::Modifier];

#[cfg(test)]
mod tests;

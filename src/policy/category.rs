//! Categories of the policy language and the switches that allow or forbid them (spec 04, 10).

use std::collections::BTreeSet;

use super::ast::{Operand, PolicyDocument, TreeNode};
use super::fields;
use super::walk::{Element, Walk};

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($variant:ident: $help:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $(#[doc = $help] $variant,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name as written.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($variant),)+
                }
            }

            /// What belongs to it.
            #[must_use]
            pub const fn help(self) -> &'static str {
                match self {
                    $(Self::$variant => $help,)+
                }
            }

            /// The one of a name.
            #[must_use]
            pub fn find(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.name() == name)
            }
        }
    };
}

named! {
    /// A category of policy elements.
    Category {
        ComparisonOperator: "Comparisons of two numbers.",
        LogicalOperator: "Conditions made of conditions.",
        BinaryArithmetic: "Arithmetic on two numbers.",
        NaryArithmetic: "Extremes of a list of numbers.",
        UnaryMath: "Functions of one number.",
        TernaryMath: "Functions of three numbers.",
        ValueType: "Forms of operands.",
        PaymentAction: "Decisions about a payment.",
        BankAction: "Decisions about the bank's budget and registers.",
        CollateralAction: "Decisions about collateral.",
        RtgsAction: "Decisions about a payment in queue 2.",
        TransactionField: "Figures of the payment.",
        AgentField: "Figures of the bank.",
        QueueField: "Figures of the queues.",
        CollateralField: "Figures of collateral.",
        CostField: "Cost rates and what waiting costs.",
        TimeField: "Ticks, days and deadlines.",
        LsmField: "Figures of the liquidity-saving mechanisms.",
        ThroughputField: "Progress of the day's payments.",
        StateRegisterField: "Registers that the bank tree sets.",
        SystemField: "Figures of the whole system.",
        DerivedField: "Ratios made of other figures.",
        NodeType: "Nodes of a tree.",
        TreeType: "Trees of a policy.",
    }
}

named! {
    /// A category of costs.
    CostCategory {
        PerTick: "Charged in every tick.",
        OneTime: "Charged once for an occurrence.",
        Daily: "Charged at the end of the day.",
        Modifier: "Changes other costs.",
    }
}

/// Which categories are allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Toggles<C> {
    /// All.
    #[default]
    Everything,
    /// These alone; none if the set is empty.
    Include(BTreeSet<C>),
    /// All but these.
    Exclude(BTreeSet<C>),
}

impl<C: Ord> Toggles<C> {
    /// Whether a category is allowed.
    #[must_use]
    pub fn allows(&self, category: &C) -> bool {
        match self {
            Self::Everything => true,
            Self::Include(set) => set.contains(category),
            Self::Exclude(set) => !set.contains(category),
        }
    }
}

impl<C: Copy + Ord> Toggles<C> {
    /// Those of the categories that are not allowed.
    #[must_use]
    pub fn forbidden(&self, used: &BTreeSet<C>) -> BTreeSet<C> {
        used.iter().copied().filter(|category| !self.allows(category)).collect()
    }
}

impl Toggles<Category> {
    /// Why a policy that uses these categories is refused (spec 04, 11.1).
    #[must_use]
    pub fn refusal(&self, forbidden: &BTreeSet<Category>) -> String {
        let forbidden = sorted_names(forbidden).join(", ");
        let switches = match self {
            Self::Everything => String::new(),
            Self::Include(set) => format!(" Allowed categories: {}.", sorted_names(set).join(", ")),
            Self::Exclude(set) => format!(" Excluded categories: {}.", sorted_names(set).join(", ")),
        };
        format!("Policy uses forbidden categories: {forbidden}.{switches}")
    }
}

/// The names of categories in alphabetical order.
#[must_use]
pub fn sorted_names(categories: &BTreeSet<Category>) -> Vec<&'static str> {
    let mut names: Vec<&str> = categories.iter().map(|category| category.name()).collect();
    names.sort_unstable();
    names
}

impl PolicyDocument {
    /// The categories that the document uses: in all trees, in conditions, computations at every
    /// depth and all arguments of actions (spec 04, 10).
    #[must_use]
    pub fn categories(&self) -> BTreeSet<Category> {
        let walk = Walk::new(self);
        let mut used = BTreeSet::new();
        for visit in walk.visits() {
            used.extend(match visit.element {
                Element::Node(TreeNode::Action(node)) => {
                    let row = node.action.row();
                    row.switched.then_some(row.category)
                }
                Element::Node(TreeNode::Condition(_)) => None,
                Element::Expression(expression) => expression.row().map(|row| row.category),
                Element::Computation(computation) => computation.row().map(|row| row.category),
                Element::Operand(operand) | Element::Argument(operand) => match operand {
                    Operand::Field(name) => {
                        fields::find(name).filter(|row| row.switched).map(|row| row.category)
                    }
                    _ => None,
                },
            });
        }
        used
    }
}

//! Comparisons, connectives and functions: what they are called and what they do (spec 04, 2).

use super::category::Category;

/// A comparison of two numbers (spec 04, 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `==`: apart by less than 1e-9.
    Equal,
    /// `!=`: apart by 1e-9 or more.
    NotEqual,
    /// `<`: strictly.
    Less,
    /// `<=`: less, or equal as by `==`.
    LessOrEqual,
    /// `>`: strictly.
    Greater,
    /// `>=`: greater, or equal as by `==`.
    GreaterOrEqual,
}

/// Differences below this are none.
const TOLERANCE: f64 = 1e-9;

impl Comparison {
    /// Whether it holds. Two equal infinities have no difference that is a number: they are
    /// neither `==` nor `!=`.
    #[must_use]
    pub const fn holds(self, left: f64, right: f64) -> bool {
        let apart = (left - right).abs();
        match self {
            Self::Equal => apart < TOLERANCE,
            Self::NotEqual => apart >= TOLERANCE,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right || apart < TOLERANCE,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right || apart < TOLERANCE,
        }
    }

    /// The `op` of a document.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

/// Arithmetic on two numbers (spec 04, 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`, an evaluation error if the right operand is almost zero.
    Divide,
}

/// A divisor below this in magnitude is an evaluation error.
pub(super) const SMALLEST_DIVISOR: f64 = f64::EPSILON;

impl BinaryOp {
    /// The result; `None` for a division by almost zero.
    #[must_use]
    pub fn apply(self, left: f64, right: f64) -> Option<f64> {
        match self {
            Self::Add => Some(left + right),
            Self::Subtract => Some(left - right),
            Self::Multiply => Some(left * right),
            Self::Divide if right.abs() < SMALLEST_DIVISOR => None,
            Self::Divide => Some(left / right),
        }
    }

    /// The `op` of a document.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
        }
    }
}

/// The extreme of a list (spec 04, 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Extreme {
    /// `max`
    Max,
    /// `min`
    Min,
}

impl Extreme {
    /// The result for a list without numbers.
    #[must_use]
    pub const fn start(self) -> f64 {
        match self {
            Self::Max => f64::NEG_INFINITY,
            Self::Min => f64::INFINITY,
        }
    }

    /// The extreme of two numbers. What is not a number yields the other; of equal ones (zeros
    /// of both signs) the first counts.
    #[must_use]
    pub const fn of(self, first: f64, second: f64) -> f64 {
        let replaces = match self {
            Self::Max => second > first,
            Self::Min => second < first,
        };
        if replaces || first.is_nan() { second } else { first }
    }

    /// The `op` of a document.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Max => "max",
            Self::Min => "min",
        }
    }
}

/// A function of one number (spec 04, 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    /// `ceil`
    Ceil,
    /// `floor`
    Floor,
    /// `round`, halves away from zero.
    Round,
    /// `abs`
    Abs,
}

impl UnaryOp {
    /// The result; the sign of zero is kept.
    #[must_use]
    pub fn apply(self, value: f64) -> f64 {
        match self {
            Self::Ceil => value.ceil(),
            Self::Floor => value.floor(),
            Self::Round => value.round(),
            Self::Abs => value.abs(),
        }
    }

    /// The `op` of a document.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Ceil => "ceil",
            Self::Floor => "floor",
            Self::Round => "round",
            Self::Abs => "abs",
        }
    }
}

/// `clamp`: the upper limit wins; what is not a number limits nothing.
#[must_use]
pub const fn clamp(value: f64, min: f64, max: f64) -> f64 {
    Extreme::Min.of(Extreme::Max.of(value, min), max)
}

/// Whether `div0` takes its default for this denominator.
#[must_use]
pub const fn is_no_denominator(denominator: f64) -> bool {
    denominator.abs() < TOLERANCE
}

/// What an expression does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// Compares two numbers.
    Compare(Comparison),
    /// `and`
    And,
    /// `or`
    Or,
    /// `not`
    Not,
}

/// What a computation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// Of two numbers.
    Binary(BinaryOp),
    /// Of a list.
    Extreme(Extreme),
    /// Of one number.
    Unary(UnaryOp),
    /// `clamp`
    Clamp,
    /// `div0`
    SafeDivide,
}

/// An operator: one row per `op`.
#[derive(Debug)]
pub struct OperatorRow<T: 'static> {
    /// What it does.
    pub does: T,
    /// The `op` of a document.
    pub key: &'static str,
    /// Name in words.
    pub name: &'static str,
    /// Category for listings and switches.
    pub category: Category,
    /// Its other keys: name, type, help.
    pub keys: &'static [(&'static str, &'static str, &'static str)],
    /// One line.
    pub help: &'static str,
    /// Exact meaning.
    pub semantics: &'static str,
    /// A document fragment.
    pub example: &'static str,
}

type Keys = &'static [(&'static str, &'static str, &'static str)];

const COMPARED: Keys = &[("left", "operand", "Evaluated first."), ("right", "operand", "Evaluated second.")];
const LISTED: Keys = &[("conditions", "list of expressions", "Evaluated in order.")];
const NEGATED: Keys = &[("condition", "expression", "What must be false.")];
const OF_LIST: Keys = &[("values", "list of operands", "At least one.")];
const OF_ONE: Keys = &[("value", "operand", "The number.")];
const OF_CLAMP: Keys = &[
    ("value", "operand", "What is limited."),
    ("min", "operand", "Lower limit."),
    ("max", "operand", "Upper limit; the stronger one."),
];
const OF_DIV0: Keys = &[
    ("numerator", "operand", "What is divided."),
    ("denominator", "operand", "By what."),
    ("default", "operand", "The result if the denominator is almost zero; evaluated only then."),
];

macro_rules! rows {
    ($($does:expr, $key:expr, $name:literal, $category:ident, $keys:ident, $help:literal, $semantics:literal,
       $example:literal;)+) => {
        &[$(OperatorRow {
            does: $does,
            key: $key,
            name: $name,
            category: Category::$category,
            keys: $keys,
            help: $help,
            semantics: $semantics,
            example: $example,
        }),+]
    };
}

/// The operators of expressions.
pub const EXPRESSIONS: &[OperatorRow<Test>] = rows! {
    Test::Compare(Comparison::Equal), "==", "Equal", ComparisonOperator, COMPARED,
        "Whether two numbers are equal.", "abs(left - right) < 1e-9",
        r#"{"op": "==", "left": {"field": "is_overdue"}, "right": {"value": 1}}"#;
    Test::Compare(Comparison::NotEqual), "!=", "NotEqual", ComparisonOperator, COMPARED,
        "Whether two numbers differ.", "abs(left - right) >= 1e-9",
        r#"{"op": "!=", "left": {"field": "priority"}, "right": {"value": 5}}"#;
    Test::Compare(Comparison::Less), "<", "LessThan", ComparisonOperator, COMPARED,
        "Whether the left number is smaller.", "left < right, without tolerance",
        r#"{"op": "<", "left": {"field": "balance"}, "right": {"value": 0}}"#;
    Test::Compare(Comparison::LessOrEqual), "<=", "LessOrEqual", ComparisonOperator, COMPARED,
        "Whether the left number is smaller or equal.", "left <= right or abs(left - right) < 1e-9",
        r#"{"op": "<=", "left": {"field": "ticks_to_deadline"}, "right": {"param": "urgency"}}"#;
    Test::Compare(Comparison::Greater), ">", "GreaterThan", ComparisonOperator, COMPARED,
        "Whether the left number is larger.", "left > right, without tolerance",
        r#"{"op": ">", "left": {"field": "queue_age"}, "right": {"value": 3}}"#;
    Test::Compare(Comparison::GreaterOrEqual), ">=", "GreaterOrEqual", ComparisonOperator, COMPARED,
        "Whether the left number is larger or equal.", "left >= right or abs(left - right) < 1e-9",
        r#"{"op": ">=", "left": {"field": "available_liquidity"}, "right": {"field": "remaining_amount"}}"#;
    Test::And, "and", "And", LogicalOperator, LISTED,
        "Whether all conditions are true.", "stops at the first false one; true for an empty list",
        r#"{"op": "and", "conditions": []}"#;
    Test::Or, "or", "Or", LogicalOperator, LISTED,
        "Whether one condition is true.", "stops at the first true one; false for an empty list",
        r#"{"op": "or", "conditions": []}"#;
    Test::Not, "not", "Not", LogicalOperator, NEGATED,
        "Whether a condition is false.", "true if the inner condition is false",
        r#"{"op": "not", "condition": {"op": "<", "left": {"field": "balance"}, "right": {"value": 0}}}"#;
};

/// The operators of computations.
pub const COMPUTATIONS: &[OperatorRow<Function>] = rows! {
    Function::Binary(BinaryOp::Add), "+", "Add", BinaryArithmetic, COMPARED,
        "Sum of two numbers.", "left + right",
        r#"{"op": "+", "left": {"field": "balance"}, "right": {"field": "credit_headroom"}}"#;
    Function::Binary(BinaryOp::Subtract), "-", "Subtract", BinaryArithmetic, COMPARED,
        "Difference of two numbers.", "left - right",
        r#"{"op": "-", "left": {"field": "balance"}, "right": {"field": "remaining_amount"}}"#;
    Function::Binary(BinaryOp::Multiply), "*", "Multiply", BinaryArithmetic, COMPARED,
        "Product of two numbers.", "left * right",
        r#"{"op": "*", "left": {"field": "amount"}, "right": {"value": 1.5}}"#;
    Function::Binary(BinaryOp::Divide), "/", "Divide", BinaryArithmetic, COMPARED,
        "Quotient of two numbers.", "left / right; an evaluation error if abs(right) < 2.220446049250313e-16",
        r#"{"op": "/", "left": {"field": "queue1_total_value"}, "right": {"value": 2}}"#;
    Function::Extreme(Extreme::Max), "max", "Max", NaryArithmetic, OF_LIST,
        "Largest of a list.", "members that are no numbers are skipped",
        r#"{"op": "max", "values": [{"field": "balance"}, {"value": 0}]}"#;
    Function::Extreme(Extreme::Min), "min", "Min", NaryArithmetic, OF_LIST,
        "Smallest of a list.", "members that are no numbers are skipped",
        r#"{"op": "min", "values": [{"field": "balance"}, {"field": "remaining_amount"}]}"#;
    Function::Unary(UnaryOp::Ceil), "ceil", "Ceil", UnaryMath, OF_ONE,
        "Next integer upwards.", "the sign of zero is kept",
        r#"{"op": "ceil", "value": {"field": "liquidity_pressure"}}"#;
    Function::Unary(UnaryOp::Floor), "floor", "Floor", UnaryMath, OF_ONE,
        "Next integer downwards.", "the sign of zero is kept",
        r#"{"op": "floor", "value": {"field": "liquidity_pressure"}}"#;
    Function::Unary(UnaryOp::Round), "round", "Round", UnaryMath, OF_ONE,
        "Nearest integer.", "halves away from zero; the sign of zero is kept",
        r#"{"op": "round", "value": {"field": "liquidity_pressure"}}"#;
    Function::Unary(UnaryOp::Abs), "abs", "Abs", UnaryMath, OF_ONE,
        "Magnitude.", "the number without its sign",
        r#"{"op": "abs", "value": {"field": "throughput_gap"}}"#;
    Function::Clamp, "clamp", "Clamp", TernaryMath, OF_CLAMP,
        "A number held between two limits.",
        "min(max(value, min), max); what is not a number limits nothing; with min > max the result is max",
        r#"{"op": "clamp", "value": {"field": "balance"}, "min": {"value": 0}, "max": {"value": 100000}}"#;
    Function::SafeDivide, "div0", "SafeDiv", TernaryMath, OF_DIV0,
        "Quotient of two numbers, or a default.",
        "default if abs(denominator) < 1e-9, else numerator / denominator",
        r#"{"op": "div0", "numerator": {"field": "credit_used"},
 "denominator": {"field": "unsecured_cap"}, "default": {"value": 0}}"#;
};

/// The row of what an expression does.
#[must_use]
pub fn expression_row(does: Test) -> Option<&'static OperatorRow<Test>> {
    EXPRESSIONS.iter().find(|row| row.does == does)
}

/// The row of what a computation does.
#[must_use]
pub fn computation_row(does: Function) -> Option<&'static OperatorRow<Function>> {
    COMPUTATIONS.iter().find(|row| row.does == does)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality_has_a_tolerance_and_order_has_none() {
        use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
        let near = 1.0 + 0.9e-9;
        let far = 1.0 + 1.1e-9;
        for (op, left, right, holds) in [
            (Equal, 1.0, near, true),
            (Equal, 1.0, far, false),
            (NotEqual, 1.0, near, false),
            (NotEqual, 1.0, far, true),
            (Less, 1.0, near, true),
            (Greater, near, 1.0, true),
            (Less, 1.0, 1.0, false),
            (LessOrEqual, near, 1.0, true),
            (LessOrEqual, far, 1.0, false),
            (GreaterOrEqual, 1.0, near, true),
            (GreaterOrEqual, 1.0, far, false),
        ] {
            assert_eq!(op.holds(left, right), holds, "{left} {} {right}", op.symbol());
        }
    }

    #[test]
    fn infinity_is_neither_equal_nor_unequal_to_itself() {
        let infinite = f64::INFINITY;
        assert!(!Comparison::Equal.holds(infinite, infinite));
        assert!(!Comparison::NotEqual.holds(infinite, infinite));
        assert!(Comparison::LessOrEqual.holds(infinite, infinite));
        assert!(Comparison::GreaterOrEqual.holds(infinite, infinite));
        assert!(Comparison::NotEqual.holds(infinite, 5.0));
    }

    #[test]
    fn nothing_holds_for_what_is_not_a_number() {
        for row in EXPRESSIONS {
            if let Test::Compare(op) = row.does {
                assert!(!op.holds(f64::NAN, 1.0) && !op.holds(1.0, f64::NAN), "{}", row.key);
            }
        }
    }

    #[test]
    fn only_a_divisor_of_almost_zero_is_refused() {
        assert_eq!(BinaryOp::Divide.apply(1.0, 2.2e-16), None);
        assert_eq!(BinaryOp::Divide.apply(1.0, -0.0), None);
        assert_eq!(BinaryOp::Divide.apply(1.0, -f64::EPSILON), Some(-1.0 / f64::EPSILON));
        assert!(BinaryOp::Divide.apply(1.0, f64::NAN).is_some_and(f64::is_nan));
        assert_eq!(BinaryOp::Subtract.apply(1.0, 3.0), Some(-2.0));
        assert!(is_no_denominator(-0.9e-9) && !is_no_denominator(1e-9));
    }

    #[test]
    fn extremes_skip_what_is_not_a_number() {
        let of = |extreme: Extreme, list: &[f64]| list.iter().fold(extreme.start(), |a, b| extreme.of(a, *b));
        assert_eq!(of(Extreme::Max, &[f64::NAN, 2.0, 3.0, f64::NAN]), 3.0);
        assert_eq!(of(Extreme::Min, &[f64::NAN, 2.0, 3.0]), 2.0);
        assert_eq!(of(Extreme::Max, &[f64::NAN]), f64::NEG_INFINITY);
        assert_eq!(of(Extreme::Min, &[]), f64::INFINITY);
    }

    #[test]
    fn functions_keep_the_sign_of_zero_and_round_halves_away_from_it() {
        for (op, value, result) in [
            (UnaryOp::Ceil, -0.5, -0.0),
            (UnaryOp::Floor, -0.5, -1.0),
            (UnaryOp::Round, 2.5, 3.0),
            (UnaryOp::Round, -2.5, -3.0),
            (UnaryOp::Round, -0.4, -0.0),
            (UnaryOp::Round, 0.499_999_999_999_999_94, 0.0),
            (UnaryOp::Abs, -0.0, 0.0),
        ] {
            assert_eq!(op.apply(value).to_bits(), f64::to_bits(result), "{} {value}", op.symbol());
        }
    }

    #[test]
    fn the_upper_limit_of_a_clamp_wins() {
        assert_eq!(clamp(5.0, 0.0, 3.0), 3.0);
        assert_eq!(clamp(-5.0, 0.0, 3.0), 0.0);
        assert_eq!(clamp(5.0, 9.0, 3.0), 3.0);
        assert_eq!(clamp(f64::NAN, 1.0, 3.0), 1.0);
        assert_eq!(clamp(5.0, f64::NAN, f64::NAN), 5.0);
    }

    #[test]
    fn every_operator_has_one_row() {
        for row in EXPRESSIONS {
            if let Test::Compare(op) = row.does {
                assert_eq!(row.key, op.symbol());
            }
            assert_eq!(expression_row(row.does).map(|found| found.key), Some(row.key));
        }
        for row in COMPUTATIONS {
            let symbol = match row.does {
                Function::Binary(op) => op.symbol(),
                Function::Extreme(op) => op.symbol(),
                Function::Unary(op) => op.symbol(),
                Function::Clamp => "clamp",
                Function::SafeDivide => "div0",
            };
            assert_eq!(row.key, symbol);
            assert_eq!(computation_row(row.does).map(|found| found.key), Some(row.key));
        }
    }
}

//! The words of the language other than fields: operators, computations, actions (spec 04, 2 and 4).

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
    pub fn holds(self, left: f64, right: f64) -> bool {
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

    /// The extreme of two numbers; what is not a number yields the other, of equal ones (zeros
    /// of both signs) the first counts.
    #[must_use]
    pub const fn of(self, first: f64, second: f64) -> f64 {
        let replaces = match self {
            Self::Max => second > first,
            Self::Min => second < first,
        };
        if replaces || first.is_nan() { second } else { first }
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

/// What an action node can do (spec 04, 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Submit the payment.
    Release,
    /// The same as `Release`.
    ReleaseWithCredit,
    /// The same as `Split`.
    PaceAndRelease,
    /// Split the payment into equal parts, all submitted.
    Split,
    /// Split the payment, some parts submitted later.
    StaggerSplit,
    /// Keep the payment in queue 1.
    Hold,
    /// Give the payment up.
    Drop,
    /// Set the payment's priority.
    Reprioritize,
    /// Take the payment back from queue 2.
    WithdrawFromRtgs,
    /// Take the payment back and declare its class.
    ResubmitToRtgs,
    /// Limit what the bank releases in this tick.
    SetReleaseBudget,
    /// Set a register.
    SetState,
    /// Add to a register.
    AddState,
    /// Nothing.
    NoAction,
    /// Post collateral.
    PostCollateral,
    /// Take collateral back.
    WithdrawCollateral,
    /// Leave collateral as it is.
    HoldCollateral,
}

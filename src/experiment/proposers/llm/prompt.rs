//! What a language model is told: the texts of `assets/prompts` with their places filled (spec 07, 21).
//!
//! An agent's prompt holds its own policy, costs and history, and of the day what it saw itself (22).

mod rules;
mod standing;

use super::super::{Briefing, Request};
use crate::experiment::policies::{fraction_given, has_tree};

const SYSTEM: &str = include_str!("../../../../assets/prompts/system.md");
const USER: &str = include_str!("../../../../assets/prompts/user.md");

/// Most lines of the trace in a prompt.
const LONGEST_TRACE: usize = 1000;

/// The system prompt: the same for all agents but for the text that the file has for them.
pub fn system(request: &Request<'_>, briefing: &Briefing) -> String {
    let constraints = request.constraints;
    let customization =
        request.advice.as_ref().map_or_else(String::new, |text| format!("\n# This experiment\n\n{text}\n"));
    let lsm = if constraints.lsm_enabled {
        "- The system looks for payments in queue 2 that settle against each other: pairs of banks and \
         rings of banks that owe each other settle with little or no liquidity. What waits in queue 2 \
         can be netted; what a policy holds back cannot.\n"
    } else {
        ""
    };
    let measured = if request.by_samples {
        "on the same resampled days for both: payments of one day, drawn again at other times"
    } else {
        "in one simulated day with the same payments for both"
    };
    fill(
        SYSTEM,
        &[
            ("customization", &customization),
            ("lsm", lsm),
            ("min_settlement_rate", &percent(request.min_settlement_rate)),
            ("trees", &rules::trees(constraints)),
            ("measured", measured),
            ("parameters", &rules::parameters(constraints)),
            ("fields", &rules::fields(constraints)),
            ("actions", &rules::actions(constraints)),
            ("nodes", &rules::nodes()),
            ("expressions", &rules::expressions()),
            ("values", &rules::values()),
            ("computations", &rules::computations()),
            ("rates", &rules::rates(&briefing.rates)),
        ],
    )
}

/// The question of a call.
pub fn user(request: &Request<'_>, briefing: &Briefing) -> String {
    let past = standing::Past::new(request, briefing);
    let errors = request.last_error.map_or_else(String::new, |error| {
        format!(
            "\n## The last attempt was invalid\n\n{error}\n\nCorrect this, and nothing else has to change.\n"
        )
    });
    fill(
        USER,
        &[
            ("agent", request.agent),
            ("iteration", &(request.iteration + 1).to_string()),
            ("standing", &standing::figures(briefing)),
            ("current_parameters", &parameters_of(request)),
            ("breakdown", &standing::breakdown(briefing)),
            ("guidance", &standing::guidance(request, briefing)),
            ("trace", &trace(briefing)),
            ("history", &past.table()),
            ("trajectories", &standing::trajectories(request)),
            ("best", &past.best()),
            ("min_settlement_rate", &percent(request.min_settlement_rate)),
            ("policy", &format!("{:#}", request.current)),
            ("errors", &errors),
        ],
    )
}

/// A text with its places filled. What is filled in is not searched for places again.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, behind)) = after.split_once("}}") else { break };
        out.push_str(before);
        out.push_str(values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value));
        rest = behind;
    }
    out.push_str(rest);
    out
}

fn percent(rate: f64) -> String {
    format!("{:.2}%", rate * 100.0)
}

fn parameters_of(request: &Request<'_>) -> String {
    let policy = request.current;
    let parameters = policy.get("parameters").filter(|parameters| parameters.is_object());
    match (parameters, fraction_given(policy)) {
        (Some(parameters), _) => parameters.to_string(),
        (None, Some(fraction)) => format!("{{\"initial_liquidity_fraction\":{fraction}}}"),
        (None, None) if has_tree(policy) => "none".to_owned(),
        (None, None) => "none, a built-in policy".to_owned(),
    }
}

fn trace(briefing: &Briefing) -> String {
    if briefing.trace.is_empty() {
        return "Nothing that concerns it.".to_owned();
    }
    let mut lines: Vec<String> = Vec::new();
    let mut told = None;
    for (tick, line) in briefing.trace.iter().take(LONGEST_TRACE) {
        if told != Some(*tick) {
            lines.push(format!("Tick {tick}"));
            told = Some(*tick);
        }
        lines.push(format!("  {line}"));
    }
    let left = briefing.trace.len().saturating_sub(LONGEST_TRACE);
    if left > 0 {
        lines.push(format!("({left} more lines are left out)"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_the_texts_is_filled_and_no_text_is_filled_twice() {
        assert_eq!(fill("a {{x}} b {{y}}", &[("x", "{{y}}"), ("y", "2")]), "a {{y}} b 2");
        assert_eq!(fill("a {{x", &[]), "a {{x");
    }
}

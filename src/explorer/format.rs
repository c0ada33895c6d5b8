//! Numbers as text. Money is shown in currency units.

use super::look::{Look, Tone};
use super::rows::Status;
use crate::money::Cents;

/// Named in the title of every pane that shows money.
pub const UNIT: &str = "currency units";

/// An amount that may be unknown.
pub fn money(amount: Option<Cents>) -> String {
    amount.map_or_else(String::new, |amount| amount.to_string())
}

/// An iteration as people count them; stored numbers, links and exports count from 0.
pub fn iteration(index: u64) -> String {
    index.saturating_add(1).to_string()
}

/// A change with its sign; nothing for none.
pub fn change(amount: Cents) -> String {
    match amount.get() {
        0 => String::new(),
        1.. => format!("+{amount}"),
        _ => amount.to_string(),
    }
}

/// A part of one as a percentage.
pub fn percent(part: Option<f64>) -> String {
    part.filter(|part| part.is_finite()).map_or_else(String::new, |part| format!("{:.1} %", part * 100.0))
}

/// Seconds as a duration: `42 s`, `3 min 05 s`, `2 h 07 min`.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.clamp(0.0, 9e15) as u64;
    match whole {
        0..=59 => format!("{whole} s"),
        60..=3599 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

/// A large amount in few characters for an axis: `1.2k`, `-3.4M`.
pub fn axis(cents: f64) -> String {
    let units = cents / 100.0;
    let magnitude = units.abs();
    let steps = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    match steps.iter().find(|(size, _)| magnitude >= *size) {
        Some((size, letter)) => format!("{:.1}{letter}", units / size),
        None if magnitude >= 100.0 || units == 0.0 => format!("{units:.0}"),
        None => format!("{units:.2}"),
    }
}

/// A plain number for an axis.
pub fn number(value: f64) -> String {
    if value.abs() >= 1000.0 {
        return axis(value * 100.0);
    }
    let text = format!("{value:.3}");
    let short = text.trim_end_matches('0').trim_end_matches('.');
    if short == "-0" { "0".to_owned() } else { short.to_owned() }
}

/// A state as glyph and word, with its tone.
pub fn badge(status: Status, look: Look) -> (String, Tone) {
    let glyphs = look.glyphs();
    let (glyph, tone) = match status {
        Status::Running => (glyphs.running, Tone::Accent),
        Status::Completed => (glyphs.done, Tone::Good),
        Status::Failed => (glyphs.failed, Tone::Bad),
        Status::Cancelled => (glyphs.stopped, Tone::Warn),
        Status::Interrupted => ("!", Tone::Warn),
    };
    (format!("{glyph} {}", status.word()), tone)
}

/// `1 job`, `2 jobs`.
pub fn counted(count: usize, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{} {many}", crate::money::grouped(count as u64)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_exact() {
        assert_eq!(change(Cents(-123_456)), "-1,234.56");
        assert_eq!(change(Cents(5)), "+0.05");
        assert_eq!(percent(Some(0.9734)), "97.3 %");
        assert_eq!(duration(185.2), "3 min 05 s");
        assert_eq!(axis(123_456_789.0), "1.2M");
        assert_eq!([0.14, -0.0, 12.0, 2500.0].map(number), ["0.14", "0", "12", "2.5k"]);
        assert_eq!(counted(2000, "job", "jobs"), "2,000 jobs");
    }
}

//! Names of runs and of the simulations in them (spec 07, 14 and 17).

use crate::persistence::Purpose;

/// The parts of a run id `{name}-{YYYYMMDD}-{HHMMSS}-{6 lower-case hex digits}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunIdParts<'a> {
    /// Name of the experiment.
    pub name: &'a str,
    /// Date of the start, `YYYYMMDD`.
    pub date: &'a str,
    /// Time of the start, `HHMMSS`.
    pub time: &'a str,
    /// Random digits.
    pub suffix: &'a str,
}

impl<'a> RunIdParts<'a> {
    /// Takes a run id apart; `None` for anything else. The name may itself hold dashes.
    #[must_use]
    pub fn parse(id: &'a str) -> Option<Self> {
        let mut parts = id.rsplitn(4, '-');
        let (suffix, time, date, name) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let digits =
            |text: &str, count: usize| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
        let hex =
            |text: &str| text.len() == 6 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let whole = !name.is_empty() && digits(date, 8) && digits(time, 6) && hex(suffix);
        whole.then_some(Self { name, date, time, suffix })
    }
}

/// A new run id from the name, the local start time (`YYYYMMDD-HHMMSS`) and 24 random bits.
#[must_use]
pub fn run_id(name: &str, stamp: &str, random: u32) -> String {
    format!("{name}-{stamp}-{:06x}", random & 0x00ff_ffff)
}

/// The id of a simulation: its number in the run, its purpose and, in the sandbox, its sample.
#[must_use]
pub fn simulation_id(run_id: &str, number: u64, purpose: Purpose, sample: Option<usize>) -> String {
    match sample {
        None => format!("{run_id}-sim-{number:03}-{purpose}"),
        Some(sample) => format!("{run_id}-sim-{number:03}-{purpose}-{sample:03}"),
    }
}

/// The number in the id of a simulation of a run; `None` for any other id.
#[must_use]
pub fn simulation_number(run_id: &str, id: &str) -> Option<u64> {
    let rest = id.strip_prefix(run_id)?.strip_prefix("-sim-")?;
    rest.split('-').next()?.parse().ok()
}

/// Letters of a file name at most, its ending apart.
const LONGEST_NAME: usize = 100;

/// A run id as the name of a file, without ending: what cannot stand in a file name, or leads to another
/// folder, is replaced.
#[must_use]
pub fn file_stem(run_id: &str) -> String {
    let fits = |letter: char| !letter.is_control() && !r#"/\:*?"<>|"#.contains(letter);
    let letters = run_id.chars().take(LONGEST_NAME);
    let stem: String = letters.map(|letter| if fits(letter) { letter } else { '_' }).collect();
    // A hidden file, or an option of the command that it is given to.
    if stem.starts_with(['.', '-']) { format!("_{stem}") } else { stem }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_taken_apart_from_the_end() {
        let id = run_id("my-exp_2", "20250101-000000", 0x00ff00);
        let parts = RunIdParts::parse(&id);
        assert_eq!(parts.map(|parts| (parts.name, parts.suffix)), Some(("my-exp_2", "00ff00")));
        assert_eq!(RunIdParts::parse("x-2025-1-a"), None);
        assert_eq!(RunIdParts::parse("-20250101-000000-00ff00"), None);
    }

    #[test]
    fn a_default_file_lies_in_the_folder() {
        assert_eq!(file_stem("game-20250101-000000-00ff00"), "game-20250101-000000-00ff00");
        assert_eq!(file_stem("../../evil"), "_.._.._evil");
        assert_eq!(file_stem("a/b\\c:d"), "a_b_c_d");
        assert_eq!(file_stem(&"x".repeat(500)).len(), LONGEST_NAME);
    }

    #[test]
    fn numbers_grow_beyond_three_digits() {
        assert_eq!(simulation_id("r", 7, Purpose::Init, None), "r-sim-007-init");
        assert_eq!(simulation_id("r", 1234, Purpose::New, Some(1000)), "r-sim-1234-new-1000");
        assert_eq!(simulation_number("r", "r-sim-1234-new-1000"), Some(1234));
        assert_eq!(simulation_number("r", "r-sim-007-init"), Some(7));
        assert_eq!(simulation_number("r-2", "r-sim-007-init"), None);
    }
}

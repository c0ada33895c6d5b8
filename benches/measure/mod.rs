//! What the benchmarks share: processor time, memory, figures beside their targets. Linux only, as it
//! reads `/proc`.

pub mod scenarios;

use std::fs;
use std::path::Path;

/// What a figure should be.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    AtMost(f64),
    AtLeast(f64),
}

impl Target {
    /// How well it is met: 1 is just met, 2 is twice as good.
    fn ratio(self, figure: f64) -> f64 {
        match self {
            Self::AtMost(most) => most / figure,
            Self::AtLeast(least) => figure / least,
        }
    }
}

/// Prints a heading over a table of figures.
pub fn heading(what: &str) {
    println!("\n{what}");
    println!("{:58} {:>13} {:>13} {:>9}", "", "measured", "target", "ratio");
}

/// Prints a figure beside its target and how well it is met.
pub fn figure(what: &str, figure: f64, unit: &str, target: Target) {
    let (sign, bound) = match target {
        Target::AtMost(most) => ('≤', most),
        Target::AtLeast(least) => ('≥', least),
    };
    let ratio = target.ratio(figure);
    let verdict = if ratio >= 1.0 { "" } else { "  MISSED" };
    println!(
        "{what:58} {:>13} {sign} {:>11} {ratio:8.2}x  {unit}{verdict}",
        readable(figure),
        readable(bound)
    );
}

/// Prints a figure that has no target.
pub fn remark(what: &str, figure: f64, unit: &str) {
    println!("{what:58} {:>13} {:13} {:9}  {unit}", readable(figure), "", "");
}

/// Three digits that matter, thousands in groups.
fn readable(figure: f64) -> String {
    let digits = match figure.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 4,
    };
    let text = format!("{figure:.digits$}");
    let (whole, rest) = text.split_once('.').map_or((&*text, None), |(whole, rest)| (whole, Some(rest)));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    rest.map_or(grouped.clone(), |rest| format!("{grouped}.{rest}"))
}

/// Processor seconds that this thread has used: what else runs on the machine hardly counts in it.
pub fn thread_seconds() -> f64 {
    seconds_of(Path::new("/proc/thread-self"))
}

/// Processor seconds of all living threads of this process with such a name.
pub fn seconds_of_threads(name: &str) -> f64 {
    let threads = fs::read_dir("/proc/self/task").unwrap().filter_map(Result::ok);
    threads
        .filter(|thread| fs::read_to_string(thread.path().join("comm")).is_ok_and(|comm| comm.trim() == name))
        .map(|thread| seconds_of(&thread.path()))
        .sum()
}

fn seconds_of(task: &Path) -> f64 {
    // The first number is the time on a processor in nanoseconds.
    let text = fs::read_to_string(task.join("schedstat")).unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|first| first.parse::<f64>().ok());
    nanoseconds.unwrap_or(0.0) / 1e9
}

/// Most memory that this process has had at once, in MiB.
pub fn peak_memory() -> f64 {
    memory("VmHWM:")
}

/// Memory that this process has now, in MiB.
pub fn memory_now() -> f64 {
    memory("VmRSS:")
}

fn memory(line: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let kibibytes = status.lines().find_map(|text| text.strip_prefix(line)?.trim().strip_suffix(" kB"));
    kibibytes.and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

/// The smallest of several measurements: what disturbs only adds.
pub fn least(times: usize, once: impl FnMut() -> f64) -> f64 {
    std::iter::repeat_with(once).take(times).fold(f64::INFINITY, f64::min)
}

//! What every file of the program keeps to: lengths, floors, no left-over markers.

use std::path::{Path, PathBuf};

/// The floors of the house, top first: a file imports from lower floors and from its own module only.
const FLOORS: &[&[&str]] = &[
    &["cli"],
    &["explorer"],
    &["sources"],
    &["experiment"],
    &["run"],
    &["persistence"],
    &["transcript"],
    &["metrics"],
    &["engine", "replay"],
    &["library"],
    &["rates"],
    &["scenario"],
    &["policy"],
    &["event", "document"],
    &["liquidity", "ids", "costs"],
    &["finding", "money", "time", "text", "table", "rng"],
];

/// Modules that reach nothing outside: no file, clock, terminal, database, thread, environment.
const PURE: &[&str] =
    &["engine", "policy", "scenario", "event", "replay", "document", "metrics", "transcript"];

const OUTSIDE: &[&str] = &[
    "std::fs",
    "std::io",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "SystemTime",
    "Instant::",
    "duckdb::",
    "crossterm::",
    "ratatui::",
    "tokio::",
    "println!",
    "eprintln!",
];

struct Source {
    path: PathBuf,
    /// Path below `src`.
    name: String,
    /// The text without its tests.
    text: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder of the program") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).expect("a source file");
                let name = path.strip_prefix(&root).expect("below src").to_string_lossy().into_owned();
                let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
                found.push(Source { path, name, text });
            }
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

impl Source {
    fn module(&self) -> &str {
        self.name.split(['/', '.']).next().unwrap_or_default()
    }

    fn is_test(&self) -> bool {
        self.name.contains("tests") || self.name.contains("cases")
    }
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

#[test]
fn imports_run_downward() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        let Some(own) = floor(source.module()) else { continue };
        for (number, line) in source.text.lines().enumerate() {
            if line.trim_start().starts_with("//") {
                continue;
            }
            for path in line.split("crate::").skip(1) {
                let target = path.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
                let below = floor(target).is_none_or(|other| other > own);
                if target != source.module() && !below {
                    wrong.push(format!("{}:{}: {}", source.name, number + 1, line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "imports that run upward or sideways:\n{}", wrong.join("\n"));
}

#[test]
fn every_module_has_a_floor() {
    let missing: Vec<String> = sources()
        .iter()
        .filter(|source| !["lib.rs", "main.rs"].contains(&source.name.as_str()))
        .filter(|source| floor(source.module()).is_none())
        .map(|source| source.name.clone())
        .collect();
    assert!(missing.is_empty(), "modules without a floor: {missing:?}");
}

#[test]
fn the_pure_modules_reach_nothing_outside() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| PURE.contains(&source.module()) && !source.is_test()) {
        for (number, line) in source.text.lines().enumerate() {
            if !line.trim_start().starts_with("//") && OUTSIDE.iter().any(|word| line.contains(word)) {
                wrong.push(format!("{}:{}: {}", source.name, number + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "the outside world in pure modules:\n{}", wrong.join("\n"));
}

#[test]
fn only_persistence_knows_sql() {
    let words = ["SELECT ", "INSERT INTO", "CREATE TABLE", "DELETE FROM"];
    let wrong: Vec<String> = sources()
        .iter()
        .filter(|source| source.module() != "persistence")
        .filter(|source| words.iter().any(|word| source.text.contains(word)))
        .map(|source| source.name.clone())
        .collect();
    assert!(wrong.is_empty(), "SQL outside persistence: {wrong:?}");
}

#[test]
fn files_and_lines_are_short_and_finished() {
    let mut wrong = Vec::new();
    for source in sources() {
        let lines: Vec<&str> = source.text.lines().collect();
        if lines.len() > 600 && !source.is_test() {
            wrong.push(format!("{}: {} lines", source.path.display(), lines.len()));
        }
        for (number, line) in lines.iter().enumerate() {
            let place = format!("{}:{}", source.name, number + 1);
            if line.chars().count() > 110 && !source.is_test() {
                wrong.push(format!("{place}: {} characters", line.chars().count()));
            }
            if ["TODO", "FIXME", "XXX", "HACK"].iter().any(|marker| line.contains(marker)) {
                wrong.push(format!("{place}: a left-over marker"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether a function begins here.
fn is_function(line: &str) -> bool {
    line.split_once("fn ").is_some_and(|(before, _)| {
        before.is_empty() || ["pub", "const ", "async "].iter().any(|word| before.starts_with(word))
    })
}

/// Whether a function ends here, in the column where it began: its body, or a declaration over several lines.
fn ends_function(line: &str) -> bool {
    line == "}" || (line.starts_with(')') && line.ends_with(';'))
}

#[test]
fn functions_are_short() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        let mut open: Option<(usize, usize, String)> = None;
        for (number, line) in source.text.lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let trimmed = line.trim_start();
            match &open {
                // A function whose body is on its line ends there; a declaration has none.
                None if is_function(trimmed) && !trimmed.ends_with(['}', ';']) => {
                    open = Some((number, indent, trimmed.to_owned()));
                }
                Some((start, level, name)) if indent == *level && ends_function(trimmed) => {
                    if number - start > 70 {
                        wrong.push(format!(
                            "{}:{}: {} lines: {name}",
                            source.name,
                            start + 1,
                            number - start
                        ));
                    }
                    open = None;
                }
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "functions above 70 lines:\n{}", wrong.join("\n"));
}

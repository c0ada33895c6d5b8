//! Mutations of files: of their trees, so that most stay files of their kind, and of their text.

use std::path::PathBuf;

use payment_sim::document;
use payment_sim::rng::Rng;
use serde_json::{Value, json};

/// Chooses among what there is.
pub struct Dice(Rng);

impl Dice {
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        rng.next();
        Self(rng)
    }

    /// A number below `count`, which is not 0.
    pub fn below(&mut self, count: usize) -> usize {
        (self.0.next() % count as u64) as usize
    }

    pub fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// A file to start from.
pub struct Seed {
    pub path: PathBuf,
    pub text: String,
    /// Its tree, unless the file is one that does not parse.
    pub tree: Option<Value>,
}

impl Seed {
    pub fn new(path: PathBuf, text: String) -> Self {
        let tree = document::parse_yaml(&text).ok().map(|node| node.to_json());
        Self { path, text, tree }
    }
}

/// Values at the ends of ranges, of other types, and words that mean something somewhere.
fn awkward(dice: &mut Dice) -> Value {
    const INTEGERS: [i64; 16] = [
        0,
        1,
        -1,
        2,
        5,
        10,
        11,
        127,
        256,
        1_000_000,
        i64::MAX,
        i64::MAX - 1,
        i64::MIN,
        i64::MIN + 1,
        1 << 53,
        i64::MAX / 2,
    ];
    const FLOATS: [f64; 12] =
        [0.0, -0.0, 0.5, 1.0, 1.5, -1.0, 1e-300, 1e300, 1e18, 1e19, f64::EPSILON, 9.007_199_254_740_993e15];
    const WORDS: [&str; 24] = [
        "",
        "A",
        "B",
        "BANK_A",
        "BANK_B",
        "Fifo",
        "Inline",
        "Deadline",
        "type",
        "1",
        "1.0",
        "true",
        "null",
        "é",
        "\u{0}",
        "\n",
        "Uniform",
        "LogNormal",
        "Repeating",
        "OneTime",
        "Release",
        "Hold",
        "Split",
        "bank_state_x",
    ];
    match dice.below(12) {
        0..=4 => json!(dice.pick(&INTEGERS)),
        5 | 6 => json!(dice.pick(&FLOATS)),
        7 | 8 => json!(dice.pick(&WORDS)),
        9 => json!(u64::MAX),
        10 => dice.pick(&[json!(null), json!(true), json!(false), json!([]), json!({})]).clone(),
        _ => json!("x".repeat(1 << dice.below(14))),
    }
}

/// Changes a tree in one place; another tree lends parts.
pub fn change(tree: &mut Value, lender: &Value, dice: &mut Dice) {
    let mut places = Vec::new();
    collect(tree, String::new(), &mut places);
    let place = dice.pick(&places).clone();
    let Some(node) = tree.pointer_mut(&place) else { return };
    // Mostly mild: what is refused at once shows nothing of what comes after reading.
    match dice.below(20) {
        0..=2 => *node = awkward(dice),
        3..=10 => number(node, dice),
        11..=14 => borrow(node, &place, lender, dice),
        15 | 16 => repeat(node, dice),
        17 => nest(node, dice),
        _ => keys(node, dice),
    }
}

/// The places of a tree, as JSON pointers.
fn collect(node: &Value, place: String, places: &mut Vec<String>) {
    match node {
        Value::Object(map) => {
            for (key, value) in map {
                let key = key.replace('~', "~0").replace('/', "~1");
                collect(value, format!("{place}/{key}"), places);
            }
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(at, value)| collect(value, format!("{place}/{at}"), places));
        }
        _ => {}
    }
    places.push(place);
}

/// A number near the old one, or its negative, or much larger; the other truth value.
fn number(node: &mut Value, dice: &mut Dice) {
    if let Some(flag) = node.as_bool() {
        *node = json!(!flag);
    }
    let Some(old) = node.as_f64() else { return };
    let new = match dice.below(7) {
        0 => old + 1.0,
        1 => old - 1.0,
        2 => -old,
        3 => old * 1000.0,
        4 => old / 2.0,
        5 => old * 1e12,
        _ => old * 10.0,
    };
    *node = if node.is_i64() || node.is_u64() { json!(new as i64) } else { json!(new) };
}

/// What stands under the same key elsewhere, or anything from there.
fn borrow(node: &mut Value, place: &str, lender: &Value, dice: &mut Dice) {
    let mut places = Vec::new();
    collect(lender, String::new(), &mut places);
    let key = place.rsplit('/').next().unwrap_or_default();
    let alike: Vec<&String> =
        places.iter().filter(|other| other.rsplit('/').next().unwrap_or_default() == key).collect();
    let from = if alike.is_empty() { dice.pick(&places).clone() } else { (*dice.pick(&alike)).clone() };
    if let Some(part) = lender.pointer(&from) {
        *node = part.clone();
    }
}

/// Entries of a list again and again.
fn repeat(node: &mut Value, dice: &mut Dice) {
    if let Value::Array(list) = node
        && !list.is_empty()
        && list.len() < 200
    {
        let entry = dice.pick(list).clone();
        for _ in 0..1 << dice.below(7) {
            list.push(entry.clone());
        }
    } else {
        *node = json!([node.take()]);
    }
}

/// The value deep inside lists, or a policy's condition inside negations.
fn nest(node: &mut Value, dice: &mut Dice) {
    let levels = *dice.pick(&[1, 3, 60, 100, 126, 300, 520]);
    let key = *dice.pick(&["condition", "compute", "on_true", "value"]);
    for _ in 0..levels {
        let inner = node.take();
        *node = match key {
            "condition" => json!({"op": "not", "condition": inner}),
            "compute" => json!({"compute": {"op": "abs", "value": inner}}),
            "on_true" => json!([inner]),
            _ => json!({ key: inner }),
        };
    }
}

/// Takes a key away, gives it another name, or adds one.
fn keys(node: &mut Value, dice: &mut Dice) {
    match node {
        Value::Object(map) if !map.is_empty() => {
            let names: Vec<String> = map.keys().cloned().collect();
            let name = dice.pick(&names);
            match dice.below(4) {
                0 | 1 => drop(map.shift_remove(name)),
                2 => {
                    let value = map.shift_remove(name).unwrap_or_default();
                    map.insert(format!("{name}s"), value);
                }
                _ => drop(map.insert("type".to_owned(), awkward(dice))),
            }
        }
        Value::Array(list) if !list.is_empty() => drop(list.remove(dice.below(list.len()))),
        _ => *node = awkward(dice),
    }
}

/// Changes a text in a few places: what no tree can say, broken quotes, anchors, indents.
pub fn scribble(text: &str, dice: &mut Dice) -> String {
    const PARTS: [&str; 26] = [
        "",
        "\"",
        "'",
        ":",
        ": ",
        "\n",
        "  ",
        "- ",
        "*a",
        "&a ",
        "<<: *a",
        "!!str ",
        "!x ",
        "#",
        "[",
        "]",
        "{",
        "}",
        ",",
        "|\n",
        ">-\n",
        "---\n",
        "...\n",
        "%YAML 1.1\n",
        "\t",
        "? ",
    ];
    let mut text: Vec<char> = text.chars().collect();
    for _ in 0..=dice.below(4) {
        let start = dice.below(text.len() + 1);
        let end = (start + [0, 0, 1, 3, 20][dice.below(5)]).min(text.len());
        let part = match dice.below(12) {
            0 => bomb(dice),
            1 => "[".repeat(dice.below(2000)),
            2 => "9".repeat(dice.below(500)),
            3 => text[start..(start + dice.below(400)).min(text.len())].iter().collect(),
            _ => (*dice.pick(&PARTS)).to_owned(),
        };
        text.splice(start..end, part.chars());
    }
    if dice.one_in(10) {
        text.truncate(dice.below(text.len() + 1));
    }
    text.into_iter().collect()
}

/// Aliases of aliases, which would fill the memory.
fn bomb(dice: &mut Dice) -> String {
    let width = 2 + dice.below(20);
    let mut text = "\nb0: &b0 [x, x, x, x]\n".to_owned();
    for level in 1..=dice.below(30) {
        let alias = format!("*b{}, ", level - 1);
        text.push_str(&format!("b{level}: &b{level} [{}]\n", alias.repeat(width)));
    }
    text
}

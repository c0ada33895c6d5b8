//! The forms of spec 01, 1.1 to 1.4, and what no file may do to the program.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use proptest::prelude::*;

use super::*;

fn value(yaml: &str) -> Value {
    parse_yaml(&format!("v: {yaml}")).unwrap().get("v").unwrap().value.clone()
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn refused(yaml: &str) -> String {
    parse_yaml(yaml).unwrap_err().to_string()
}

#[test]
fn plain_scalars_follow_the_core_schema() {
    for null in ["", "~", "null", "Null", "NULL"] {
        assert_eq!(value(null), Value::Null, "{null}");
    }
    for (written, meant) in
        [("true", true), ("True", true), ("TRUE", true), ("false", false), ("False", false)]
    {
        assert_eq!(value(written), Value::Bool(meant));
    }
    for (written, meant) in [("010", 10), ("+7", 7), ("-12", -12), ("0o17", 15), ("0xfF", 255), ("-0", 0)] {
        assert_eq!(value(written), Value::Int(meant), "{written}");
    }
    for (written, meant) in [
        ("1.5", 1.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e5", 1e5),
        ("-1.0E-3", -0.001),
        ("+.5", 0.5),
        (".inf", f64::INFINITY),
        ("-.INF", f64::NEG_INFINITY),
        ("+.Inf", f64::INFINITY),
        ("1e999", f64::INFINITY),
    ] {
        assert_eq!(value(written), Value::Float(meant), "{written}");
    }
    for nan in [".nan", ".NaN", ".NAN"] {
        assert!(matches!(value(nan), Value::Float(value) if value.is_nan()));
    }
    for other in [
        "yes",
        "NO",
        "on",
        "off",
        "y",
        "1_000",
        "12:30",
        "2024-01-02",
        "0b101",
        "\"1,000\"",
        "tRUE",
        "nUll",
        "0O17",
        "0X1",
        "-0x1",
        "1e",
        "1.5.2",
        "+",
        "-.",
        "e5",
        ".iNF",
        "-.nan",
        "0o8",
        "Infinity",
        "NaN",
        "<<",
    ] {
        assert_eq!(value(other), text(other.trim_matches('"')), "{other}");
    }
}

#[test]
fn quoted_and_block_scalars_are_text() {
    for quoted in ["\"12\"", "'12'", "|-\n  12", ">-\n  12", "!!str 12", "! 12"] {
        assert_eq!(value(quoted), text("12"), "{quoted}");
    }
    assert_eq!(value("\"true\""), text("true"));
    assert_eq!(value("\"\""), text(""));
}

#[test]
fn integers_of_any_size_keep_their_digits() {
    let large = "123456789012345678901234567890123456789012345";
    assert_eq!(value(&format!("-000{large}")), Value::BigInt(format!("-{large}")));
    assert_eq!(
        value("0xffffffffffffffffffffffffffffffffff"),
        Value::BigInt("87112285931760246646623899502532662132735".into())
    );
    assert_eq!(
        value("340282366920938463463374607431768211455"),
        Value::BigInt("340282366920938463463374607431768211455".into())
    );
}

#[test]
fn core_tags_work_and_others_are_refused() {
    assert_eq!(value("!!int \"12\""), Value::Int(12));
    assert_eq!(value("!!float 12"), Value::Float(12.0));
    assert_eq!(value("!!str"), text(""));
    assert!(matches!(value("!!seq [1]"), Value::List(items) if items.len() == 1));
    assert_eq!(value("!<tag:yaml.org,2002:str> 1"), text("1"));
    for bad in ["!money 5", "!!binary YQ==", "!!set {a}", "!!timestamp 2024-01-02", "!!foo x"] {
        assert!(refused(&format!("v: {bad}")).contains("unknown tag"), "{bad}");
    }
    for bad in ["!!int x", "!!bool 1", "!!float yes", "!!seq {}", "!!map []", "!!int 1.0"] {
        assert!(refused(&format!("v: {bad}")).contains("does not fit"), "{bad}");
    }
}

#[test]
fn aliases_and_merge_keys_work() {
    let node = parse_yaml("base: &b {x: 1, y: 2}\none: *b\ntwo: {y: 3, <<: *b, z: 4}").unwrap();
    assert_eq!(node.get("one").unwrap().to_json_text(), r#"{"x":1,"y":2}"#);
    assert_eq!(node.get("two").unwrap().to_json_text(), r#"{"y":3,"z":4,"x":1}"#);
    let list = parse_yaml("a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc: {<<: [*a, *b]}").unwrap();
    assert_eq!(list.get("c").unwrap().to_json_text(), r#"{"x":1,"y":2}"#);
    assert_eq!(parse_yaml("&k key: 1\nother: *k").unwrap().get("other").unwrap().value, text("key"));
    assert!(refused("a: {<<: 5}").contains("merge key"));
    assert!(refused("b: &b {x: 1}\na:\n  <<: *b\n  <<: *b").contains("given twice"));
    assert!(refused("a: &a [*a]").contains("inside the value"));
    assert!(refused("a: *nothing").contains("not valid YAML"));
}

#[test]
fn duplicate_keys_are_refused_at_every_level() {
    assert_eq!(refused("a: 1\na: 2"), "key `a` is given twice (line 2, column 1)");
    assert!(refused("a: [{b: 1, \"b\": 2}]").contains("`b` is given twice"));
    let json = parse_json("{\"a\": {\"b\": 1,\n  \"b\": 2}}").unwrap_err();
    assert_eq!(json.to_string(), "key `b` is given twice (line 2, column 3)");
}

#[test]
fn keys_are_texts() {
    for key in ["1", "true", "~", "1.5", "[a]", "{a: 1}", "? [a]\n"] {
        assert!(refused(&format!("{key}: x")).contains("keys are texts") || key.starts_with('?'), "{key}");
    }
    assert!(parse_yaml("\"1\": x").is_ok());
}

#[test]
fn a_file_is_one_document_with_something_in_it() {
    for empty in ["", "\n\n", "# only a comment\n", "---\n", "~", "\u{feff}"] {
        assert!(refused(empty).contains("empty configuration"), "{empty:?}");
    }
    assert!(refused("a: 1\n---\nb: 2").contains("second document"));
    assert!(refused("a: [1").contains("not valid YAML"));
    let report = Report::default();
    assert!(Reader::root(&parse_yaml("- a").unwrap(), &report).is_none());
    assert!(report.into_findings().0[0].message.contains("must be a mapping"));
    assert!(parse_json("").unwrap_err().message.contains("empty configuration"));
}

#[test]
fn json_is_read_strictly() {
    for bad in [
        "{\"a\":1,}",
        "[1,]",
        "{a:1}",
        "{'a':1}",
        "[01]",
        "[+1]",
        "[.5]",
        "[5.]",
        "[1e]",
        "[NaN]",
        "[Infinity]",
        "[tru]",
        "[\"a\nb\"]",
        "[\"\\x\"]",
        "[\"\\ud800\"]",
        "[1] 2",
        "[1 2]",
        "{\"a\" 1}",
        "[\"a",
        "{",
        "[nullx]",
        "// c\n[1]",
        "[--1]",
        "[-]",
    ] {
        assert!(parse_json(bad).is_err(), "{bad}");
    }
    let node = parse_json("{\"a\": [1, -0.5, 1e2, \"\\u00e9\\ud83d\\ude00\\n\", true, null], \"b\": 1e999}")
        .unwrap();
    assert_eq!(node.to_json_text(), "{\"a\":[1,-0.5,100.0,\"é😀\\n\",true,null],\"b\":1e999}");
    assert_eq!(parse_json("[\"é\", 1x]").unwrap_err().position.unwrap().column, 8);
}

#[test]
fn yaml_and_json_give_the_same_tree() {
    let text = "{\"a\": [1, 2.5, \"x\"], \"b\": {\"c\": null, \"d\": false}}";
    assert_eq!(parse_yaml(text).unwrap().to_json_text(), parse_json(text).unwrap().to_json_text());
    assert_eq!(parse_json(text).unwrap().to_json(), serde_json::from_str::<serde_json::Value>(text).unwrap());
    let json = parse_json(text).unwrap();
    assert_eq!(Node::from_json(&json.to_json()).to_json_text(), json.to_json_text());
}

#[test]
fn no_file_takes_unbounded_time_or_memory() {
    let mut laughs = String::from("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for level in 1..12 {
        let before = format!("*a{}, ", level - 1).repeat(10);
        laughs.push_str(&format!("a{level}: &a{level} [{}]\n", before.trim_end_matches(", ")));
    }
    assert!(refused(&laughs).contains("hold"));
    let long = format!("t: &t \"{}\"\nl: [{}]", "x".repeat(100_000), "*t,".repeat(10_000));
    assert!(refused(&long).contains("aliases repeat"));
    assert!(parse_yaml(&"[".repeat(100_000)).is_err());
    assert!(parse_yaml(&"- ".repeat(5_000)).is_err());
    assert!(parse_json(&"[".repeat(100_000)).unwrap_err().message.contains("nested deeper"));
    assert!(parse_json(&"{\"a\":".repeat(100_000)).unwrap_err().message.contains("nested deeper"));
}

#[test]
fn wrong_types_are_refused_with_a_hint() {
    let node = parse_yaml("a: \"5\"\nb: 4.0\nc: true\nd: 7\ne: yes\nf: .nan\ng: ~\nh: 1_000").unwrap();
    let report = Report::default();
    let mut file = Reader::root(&node, &report).unwrap();
    assert_eq!(file.required("a", |item| item.integer(0..=9)), None);
    assert_eq!(file.required("b", |item| item.integer(0..=9)), None);
    assert_eq!(file.required("c", |item| item.float(Bound::Any)), None);
    assert_eq!(file.required("d", Item::text), None);
    assert_eq!(file.required("e", Item::boolean), None);
    assert_eq!(file.required("f", |item| item.float(Bound::Any)), None);
    assert_eq!(file.or("g", 1, |item| item.integer(0..=9)), None);
    assert_eq!(file.required("h", |item| item.float(Bound::Any)), None);
    assert_eq!(file.required("i", Item::text), None);
    assert_eq!(file.required("d", |item| item.float(Bound::Within(0.0, 7.0))), Some(7.0));
    file.finish();
    let findings = report.into_findings();
    let shown: Vec<(String, Option<&str>)> =
        findings.0.iter().map(|finding| (finding.to_string(), finding.hint.as_deref())).collect();
    let expected = [
        (
            "expected an integer, found text `5` (line 1, column 4, a)",
            Some("write `5`, without quotes and separators"),
        ),
        (
            "expected an integer, found the float `4.0` (line 2, column 4, b)",
            Some("write `4`, without point and exponent"),
        ),
        ("expected a number, found `true` (line 3, column 4, c)", None),
        ("expected text, found the integer `7` (line 4, column 4, d)", Some("put it in quotes")),
        ("expected `true` or `false`, found text `yes` (line 5, column 4, e)", Some("write `true`")),
        ("`.nan` is out of range: it must be a number (line 6, column 4, f)", None),
        ("expected an integer, found null (line 7, column 4, g)", None),
        (
            "expected a number, found text `1_000` (line 8, column 4, h)",
            Some("write `1000`, without quotes and separators"),
        ),
        ("`i` is missing (line 1, column 1, i)", None),
    ];
    assert_eq!(shown, expected.map(|(message, hint)| (message.to_owned(), hint)));
}

#[test]
fn a_path_leads_back_to_its_place() {
    let node = parse_yaml("agents:\n  - id: A\n    weights:\n      x.y: 1\n").unwrap();
    let at = |path: &str| node.locate(path).map(|at| (at.line, at.column));
    assert_eq!(at("agents[0].weights.x.y"), Some((4, 7)));
    assert_eq!(at("agents[0].missing.key"), Some((2, 5)));
    assert_eq!(at("nothing"), None);
}

proptest! {
    #[test]
    fn no_text_makes_the_readers_panic(text in "(?s).{0,200}") {
        let _ = parse_yaml(&text);
        let _ = parse_json(&text);
    }

    #[test]
    fn no_mixture_of_syntax_makes_the_readers_panic(
        parts in prop::collection::vec(prop::sample::select(vec![
            "a", "b", ": \
            ", "\n", "  ", "- ", "[", "]", "{", "}", ",", "\"", "'", "&a ", "*a", "<<", "!!str ", "!x ",
            "? ", "|", ">", "#", "%",
            "---\n", "...\n", "1", ".5", "e9", "~", "\t", "\\u12", "\u{feff}", "é", "\r",
            "@", "`",
        ]), 0..40)
    ) {
        let text = parts.concat();
        let _ = parse_yaml(&text);
        let _ = parse_json(&text);
    }

    #[test]
    fn what_is_written_reads_back(text in "(?s).{0,40}", int in any::<i128>(), float in any::<f64>()) {
        prop_assume!(!float.is_nan());
        let float_node = Node::new(Value::Float(float));
        let node =
            Node::map([(text.as_str(), Node::text(&*text)), ("int", Node::int(int)), ("float", float_node)]);
        prop_assume!(text != "int" && text != "float");
        let read = parse_json(&node.to_json_text()).unwrap();
        prop_assert_eq!(read.get("int").unwrap().value.clone(), Value::Int(int));
        prop_assert_eq!(read.get("float").unwrap().value.clone(), Value::Float(float));
        prop_assert_eq!(read.get(&text).unwrap().value.clone(), Value::Text(text));
    }
}

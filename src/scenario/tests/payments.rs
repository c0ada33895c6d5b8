use super::*;
use crate::money::Cents;
use crate::time::Tick;

/// Reads a scenario of two banks, ten ticks a day, two days, with this payments file.
fn with_file(setting: &str, csv: &str) -> (Option<ScenarioFile>, Findings) {
    let shelf = Shelf([("p.csv", csv.to_owned())].into());
    let text = two_banks("", &format!("payments_file: {setting}"));
    read(&text, Format::Yaml, &Overrides::default(), &shelf)
}

type Row = (u64, String, String, i64, u8, Option<u64>);

fn rows(setting: &str, csv: &str) -> Vec<Row> {
    let (file, findings) = with_file(setting, csv);
    assert_eq!(findings, Findings::default());
    let file = file.unwrap();
    assert_reads_back(&file);
    let row = |payment: &FilePayment<crate::event::Text>| {
        let FilePayment { tick: Tick(tick), sender, receiver, amount: Cents(amount), priority, deadline } =
            payment;
        let deadline = deadline.map(|Tick(deadline)| deadline);
        (*tick, sender.to_string(), receiver.to_string(), *amount, *priority, deadline)
    };
    file.payments.unwrap().iter().map(row).collect()
}

fn row(tick: u64, from: &str, to: &str, amount: i64, priority: u8, deadline: Option<u64>) -> Row {
    (tick, from.to_owned(), to.to_owned(), amount, priority, deadline)
}

fn faults(setting: &str, csv: &str) -> Vec<String> {
    let (file, findings) = with_file(setting, csv);
    assert!(file.is_none(), "accepted: {csv}");
    findings.errors().map(ToString::to_string).collect()
}

#[test]
fn absolute_ticks_with_either_separator() {
    let comma = "tick,sender,receiver,amount\n0,A,B,5\n19,\"B\",A,7\n";
    assert_eq!(rows("p.csv", comma), [row(0, "A", "B", 5, 5, None), row(19, "B", "A", 7, 5, None)]);
    let semicolon = "\u{feff}deadline;priority;amount;receiver;sender;tick\r\n3;0;5;B;A;1\r\n;10;6;A;B;2\r\n";
    assert_eq!(
        rows("{path: p.csv}", semicolon),
        [row(1, "A", "B", 5, 0, Some(3)), row(2, "B", "A", 6, 10, None)]
    );
    assert_eq!(rows("p.csv", "tick,sender,receiver,amount\n"), []);
}

#[test]
fn times_of_day_become_ticks() {
    let setting = "{path: p.csv, opens: \"08:00\", closes: \"18:00\", amounts: units, \
    columns: {time: Uhrzeit, amount: Betrag}}";
    let csv = "Uhrzeit;day;sender;receiver;Betrag;deadline\n08:00;0;A;B;1.5;09:00\n\
        08:59:59;1;A;B;2;18:00\n17:59;;A;B;0.01;\n";
    assert_eq!(
        rows(setting, csv),
        [
            row(0, "A", "B", 150, 5, Some(1)),
            row(10, "A", "B", 200, 5, Some(19)),
            row(9, "A", "B", 1, 5, None),
        ]
    );
    for (row, expected) in [
        ("07:59;0;A;B;1;", "not from `opens` on"),
        ("18:00;0;A;B;1;", "not from `opens` on"),
        ("8:00;0;A;B;1;", "no time of day"),
        ("09:60;0;A;B;1;", "no time of day"),
        ("09:00;2;A;B;1;", "no day of the run"),
        ("09:00;0;A;B;1;09:30", "not after the arrival"),
        ("09:00;0;A;B;1.234;", "at most two places"),
        ("09:00;0;A;B;1.;", "at most two places"),
        ("09:00;0;A;B;-1;", "is not 0.01 to"),
    ] {
        let faults = faults(setting, &format!("Uhrzeit;day;sender;receiver;Betrag;deadline\n{row}\n"));
        assert!(
            faults.len() == 1 && faults[0].contains(expected) && faults[0].contains("line 2"),
            "{faults:?}"
        );
    }
}

#[test]
fn every_bad_row_is_reported_by_line_and_column() {
    let csv = "tick,sender,receiver,amount,priority,deadline\n\
        20,A,B,1,,\n0,X,B,1,,\n0,A,A,1,,\n0,A,B,0,,\n\
        0,A,B,1.0,,\n0,A,B,9223372036854775808,,\n0,A,B,1,11,\n5,A,B,1,,5\n-1,A,B,1,,\n0,A,B\n\n0,b,B,1,,\n";
    let faults = faults("p.csv", csv);
    let starts = [
        "`p.csv`, `tick`: `20` is no tick of the run, 0 to 19 (line 2, column 1, payments_file)",
        "`p.csv`, `sender`: the scenario has no bank `X`",
        "`p.csv`, `receiver`: the sender can not be the receiver (line 4, column 3,",
        "`p.csv`, `amount`: `0` is not",
        "`p.csv`, `amount`: `1.0` is not a whole number of cents (line 6, column 4,",
        "`p.csv`, `amount`: `9223372036854775808` is not",
        "`p.csv`, `priority`: `11` is not 0 to 10 (line 8, column 5,",
        "`p.csv`, `deadline`: tick 5 is not after the arrival in tick 5 (line 9, column 6,",
        "`p.csv`, `tick`: `-1` is no tick",
        "`p.csv`, `amount`: the row has 3 fields, the header 6 (line 11,",
        "`p.csv`, `sender`: the scenario has no bank `b`",
    ];
    assert_eq!(faults.len(), starts.len(), "{faults:#?}");
    for (fault, start) in faults.iter().zip(starts) {
        assert!(fault.starts_with(start), "`{fault}` does not start with `{start}`");
    }
    assert!(faults[10].contains("line 13"), "{}", faults[10]);
}

#[test]
fn the_header_must_fit() {
    let times = "{path: p.csv, opens: 08:00, closes: 09:00}";
    for (setting, header, expected) in [
        ("p.csv", "sender,receiver,amount", "exactly one of the columns"),
        (times, "tick,time,sender,receiver,amount", "exactly one of the columns"),
        ("p.csv", "time,sender,receiver,amount", "needs `opens` and `closes`"),
        ("p.csv", "tick,sender,receiver", "no column `amount`"),
        ("p.csv", "tick,sendr,receiver,amount", "is it `sendr`?"),
        ("p.csv", "tick,sender,receiver,amount,tick", "occurs twice"),
        ("{path: p.csv, columns: {amount: Betrag}}", "tick,sender,receiver,amount", "no column `Betrag`"),
        ("p.csv", "", "no header line"),
        (
            "{path: p.csv, opens: 09:00, closes: 09:00}",
            "time,sender,receiver,amount",
            "`closes` later than `opens`",
        ),
    ] {
        let faults = faults(setting, &format!("{header}\n"));
        assert!(faults.iter().any(|fault| fault.contains(expected)), "{faults:?}: {expected}");
    }
}

#[test]
fn other_columns_are_passed_over_with_a_warning() {
    let (file, findings) = with_file("p.csv", "tick,day,sender,receiver,amount,priorty\n1,0,A,B,5,x\n");
    let warnings: Vec<String> = findings.0.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "`p.csv`, column `day` is passed over (line 1, column 2, payments_file)",
            "`p.csv`, column `priorty` is passed over, did you mean `priority`? (line 1, column 6, \
            payments_file)",
        ]
    );
    assert_eq!(file.unwrap().payments.unwrap().len(), 1);
}

#[test]
fn the_setting_itself() {
    for (setting, expected) in [
        ("5", "the path of a file or a mapping"),
        ("{}", "exactly one of `path` and `rows`"),
        ("{path: p.csv, rows: []}", "exactly one of `path` and `rows`"),
        ("gone.csv", "no payments file `gone.csv`"),
        ("{path: p.csv, amounts: euros}", "is not one of"),
        ("{path: p.csv, opens: 8}", "expected text"),
        ("{path: p.csv, opens: 25:00}", "no time of day"),
        ("{rows: 5}", "expected a list"),
        ("{rows: [[0, A, B, 1, 5]]}", "rows[0]"),
        ("{rows: [[0, A, B, 1, 5, ~], [0, A, B, 1.0, 5, ~]]}", "rows[1][3]"),
        ("{rows: [[0, A, Z, 1, 5, ~]]}", "no bank `Z`"),
        ("{rows: [[0, A, B, 1, 11, ~]]}", "is not 0 to 10"),
        ("{rows: [[20, A, B, 1, 5, ~]]}", "no tick of the run"),
        ("{rows: [[0, A, B, 0, 5, ~]]}", "is below 1"),
        ("{rows: [[3, A, B, 1, 5, 3]]}", "not after the arrival"),
    ] {
        let faults = faults(setting, "tick,sender,receiver,amount\n");
        assert!(faults.len() == 1 && faults[0].contains(expected), "{faults:?}: {expected}");
    }
}

//! The answer of `validate-policy` (spec 04, 11.1).

use serde_json::{Map, Value as Json, json};

use super::ast::{PolicyDocument, TreeKind};
use super::category::{Category, Toggles, sorted_names};
use super::read::PARSE_ERROR;
use crate::document;
use crate::finding::{Finding, Findings, Severity};

/// A file that could not be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileProblem {
    /// There is none.
    NotFound,
    /// It could not be read.
    Unreadable,
    /// It is blank.
    Empty,
}

impl FileProblem {
    const fn kind(self) -> &'static str {
        match self {
            Self::NotFound => "FileNotFound",
            Self::Unreadable => "ReadError",
            Self::Empty => "EmptyFile",
        }
    }
}

/// An error with its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFault {
    /// Error type of spec 04, 6.2 or 11.1.
    pub kind: &'static str,
    /// The message.
    pub message: String,
}

/// The result of one functional test, run by whoever has an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionalTest {
    /// `load_policy`, `execute_policy` or `valid_state`.
    pub name: &'static str,
    /// Whether it passed.
    pub passed: bool,
    /// What happened.
    pub message: String,
}

/// What stands in the head of a policy, also of one that is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Head {
    id: Option<String>,
    version: Option<String>,
    description: Option<String>,
}

/// Everything that `validate-policy` says about one file.
#[derive(Clone, Debug)]
pub struct PolicyReport {
    file: String,
    problem: Option<FileProblem>,
    head: Head,
    document: Option<PolicyDocument>,
    faults: Vec<PolicyFault>,
    warnings: Vec<Finding>,
    against_scenario: bool,
    forbidden: Vec<&'static str>,
    tests: Option<Vec<FunctionalTest>>,
}

impl PolicyReport {
    /// The answer for a file that could not be looked at.
    #[must_use]
    pub fn of_problem(file: &str, problem: FileProblem, message: impl Into<String>) -> Self {
        let mut report = Self::empty(file);
        report.problem = Some(problem);
        report.faults.push(PolicyFault { kind: problem.kind(), message: message.into() });
        report
    }

    /// The answer for the content of a file.
    #[must_use]
    pub fn of_text(file: &str, text: &str) -> Self {
        if text.trim().is_empty() {
            return Self::of_problem(file, FileProblem::Empty, format!("policy file is empty: {file}"));
        }
        let mut report = Self::empty(file);
        let mut findings = Findings::default();
        report.document = PolicyDocument::from_json_text(text, "", &mut findings);
        report.head = head(text);
        for finding in findings.0 {
            if finding.severity == Severity::Warning {
                report.warnings.push(finding);
            } else {
                report.faults.push(fault(&finding));
            }
        }
        report
    }

    fn empty(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            problem: None,
            head: Head::default(),
            document: None,
            faults: Vec::new(),
            warnings: Vec::new(),
            against_scenario: false,
            forbidden: Vec::new(),
            tests: None,
        }
    }

    /// Makes warnings errors, as `--strict` asks.
    pub fn make_strict(&mut self) {
        let strict = |finding: &Finding| PolicyFault { kind: "Warning", message: finding.to_string() };
        self.faults.extend(self.warnings.iter().map(strict));
        self.warnings.clear();
    }

    /// Holds the policy against a scenario's switches.
    pub fn hold_against(&mut self, toggles: &Toggles<Category>) {
        self.against_scenario = true;
        let Some(document) = &self.document else { return };
        let forbidden = toggles.forbidden(&document.categories());
        if !forbidden.is_empty() {
            let message = toggles.refusal(&forbidden);
            self.faults.push(PolicyFault { kind: "ForbiddenCategory", message });
            self.forbidden = sorted_names(&forbidden);
        }
    }

    /// Says that the scenario with the switches could not be read.
    pub fn scenario_failed(&mut self, message: impl Into<String>) {
        self.against_scenario = true;
        self.faults.push(PolicyFault { kind: "ScenarioLoadError", message: message.into() });
    }

    /// Adds the results of the functional tests.
    pub fn add_tests(&mut self, tests: Vec<FunctionalTest>) {
        self.tests = Some(tests);
    }

    /// The policy, if it passed reading and checks.
    #[must_use]
    pub const fn document(&self) -> Option<&PolicyDocument> {
        self.document.as_ref()
    }

    /// What is worth saying about a policy that is accepted.
    #[must_use]
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }

    /// What is wrong.
    #[must_use]
    pub fn faults(&self) -> &[PolicyFault] {
        &self.faults
    }

    /// Whether the policy is valid, functional tests aside.
    #[must_use]
    pub const fn is_valid(&self) -> bool {
        self.faults.is_empty()
    }

    /// Whether the command succeeds: the policy is valid and every functional test passed.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.is_valid() && self.tests.iter().flatten().all(|test| test.passed)
    }

    /// The report as JSON.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut report = match (&self.document, self.against_scenario) {
            _ if self.problem.is_some() => {
                json!({"valid": false, "errors": self.errors(["type", "message"])})
            }
            (_, true) => self.scenario_json(),
            (Some(document), false) if self.is_valid() => valid_json(document),
            _ => json!({"errors": self.errors(["message", "type"]), "valid": false}),
        };
        if let (Some(tests), Json::Object(report)) = (&self.tests, &mut report) {
            report.insert("functional_tests".to_owned(), tests_json(tests));
        }
        report
    }

    fn errors(&self, keys: [&str; 2]) -> Vec<Json> {
        let error = |fault: &PolicyFault| {
            let text = |key: &str| if key == "type" { fault.kind.to_owned() } else { fault.message.clone() };
            Json::Object(keys.iter().map(|key| ((*key).to_owned(), Json::String(text(key)))).collect())
        };
        self.faults.iter().map(error).collect()
    }

    fn scenario_json(&self) -> Json {
        let mut report = Map::new();
        report.insert("valid".to_owned(), json!(self.is_valid()));
        report.insert("policy_id".to_owned(), json!(self.head.id));
        report.insert("version".to_owned(), json!(self.head.version));
        report.insert("description".to_owned(), json!(self.head.description));
        report.insert("errors".to_owned(), json!(self.errors(["message", "type"])));
        if !self.forbidden.is_empty() {
            report.insert("forbidden_categories".to_owned(), json!(self.forbidden));
        }
        Json::Object(report)
    }

    /// The report as text.
    #[must_use]
    pub fn to_text(&self, verbose: bool) -> String {
        let mut lines = Vec::new();
        match &self.document {
            _ if self.problem.is_some() => {
                lines.extend(self.faults.iter().map(|fault| format!("Error: {}", fault.message)));
            }
            Some(document) if self.is_valid() => self.valid_text(document, verbose, &mut lines),
            _ => self.invalid_text(&mut lines),
        }
        if let Some(tests) = &self.tests {
            tests_text(tests, &mut lines);
        }
        lines.join("\n") + "\n"
    }

    fn valid_text(&self, document: &PolicyDocument, verbose: bool, lines: &mut Vec<String>) {
        let content = [
            "Policy validation passed".to_owned(),
            format!("File: {}", self.file),
            format!("Policy ID: {}", document.id()),
            format!("Version: {}", document.version()),
        ];
        panel("Validation Result", &content, lines);
        if !verbose {
            return;
        }
        let present = |tree: TreeKind| if document.tree(tree).is_some() { "Yes" } else { "No" };
        let rows = TreeKind::ALL.map(|tree| vec![tree.key().to_owned(), present(tree).to_owned()]);
        table("Policy Trees", &["Tree Type", "Present"], &rows, lines);
        lines.push(match parameter_names(document).as_slice() {
            [] => "No parameters defined".to_owned(),
            names => format!("Parameters ({}): {}", names.len(), names.join(", ")),
        });
        lines.extend(document.description().map(|description| format!("Description: {description}")));
    }

    fn invalid_text(&self, lines: &mut Vec<String>) {
        let row = |fault: &PolicyFault| vec![fault.kind.to_owned(), fault.message.clone()];
        let rows: Vec<Vec<String>> = self.faults.iter().map(row).collect();
        table("Validation Errors", &["Type", "Message"], &rows, lines);
        if !self.forbidden.is_empty() {
            lines.push(format!("Forbidden categories used: {}", self.forbidden.join(", ")));
        }
        lines.push(format!("Policy validation failed with {} error(s)", self.faults.len()));
    }
}

fn fault(finding: &Finding) -> PolicyFault {
    let hint = finding.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
    let kind = if finding.kind.is_empty() { PARSE_ERROR } else { finding.kind };
    let prefix = if kind == PARSE_ERROR { "JSON parsing failed: " } else { "" };
    PolicyFault { kind, message: format!("{prefix}{finding}{hint}") }
}

fn head(text: &str) -> Head {
    let Ok(node) = document::parse_json(text) else { return Head::default() };
    let text = |key: &str| node.get(key).and_then(|node| node.as_text()).map(str::to_owned);
    Head { id: text("policy_id"), version: text("version"), description: text("description") }
}

fn parameter_names(document: &PolicyDocument) -> Vec<&str> {
    let mut names: Vec<&str> = document.parameters().iter().map(|(name, _)| &**name).collect();
    names.sort_unstable();
    names
}

fn valid_json(document: &PolicyDocument) -> Json {
    let has = |tree| document.tree(tree).is_some();
    let parameters = parameter_names(document);
    json!({
        "description": document.description().map(|text| &**text),
        "policy_id": &**document.id(),
        "trees": {
            "has_bank_tree": has(TreeKind::Bank),
            "has_end_of_tick_collateral_tree": has(TreeKind::EndOfTickCollateral),
            "has_payment_tree": has(TreeKind::Payment),
            "has_strategic_collateral_tree": has(TreeKind::StrategicCollateral),
            "parameter_count": parameters.len(),
            "parameters": parameters,
        },
        "valid": true,
        "version": &**document.version(),
    })
}

fn passed(tests: &[FunctionalTest]) -> usize {
    tests.iter().filter(|test| test.passed).count()
}

fn tests_json(tests: &[FunctionalTest]) -> Json {
    let result =
        |test: &FunctionalTest| json!({"name": test.name, "passed": test.passed, "message": test.message});
    json!({
        "passed": passed(tests) == tests.len(),
        "tests_run": tests.len(),
        "tests_passed": passed(tests),
        "results": tests.iter().map(result).collect::<Vec<_>>(),
    })
}

fn tests_text(tests: &[FunctionalTest], lines: &mut Vec<String>) {
    let status = |test: &FunctionalTest| if test.passed { "PASS" } else { "FAIL" };
    let row =
        |test: &FunctionalTest| vec![test.name.to_owned(), status(test).to_owned(), test.message.clone()];
    let rows: Vec<Vec<String>> = tests.iter().map(row).collect();
    table("Functional Tests", &["Test", "Status", "Message"], &rows, lines);
    let (passed, all) = (passed(tests), tests.len());
    lines.push(if passed == all {
        format!("All functional tests passed ({passed}/{all})")
    } else {
        format!("Functional tests failed ({passed}/{all} passed)")
    });
}

fn panel(title: &str, content: &[String], lines: &mut Vec<String>) {
    let width = content.iter().map(|line| line.chars().count()).max().unwrap_or(0).max(title.len() + 2);
    lines.push(format!("╭─ {title} {}╮", "─".repeat((width + 2).saturating_sub(title.len() + 3))));
    lines.extend(content.iter().map(|line| {
        let filler = " ".repeat(width.saturating_sub(line.chars().count()));
        format!("│ {line}{filler} │")
    }));
    lines.push(format!("╰{}╯", "─".repeat(width + 2)));
}

fn table(title: &str, heads: &[&str], rows: &[Vec<String>], lines: &mut Vec<String>) {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(heads.get(column).map(|head| head.len())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = widths
            .iter()
            .zip(cells)
            .map(|(width, cell)| format!("{cell}{}", " ".repeat(width.saturating_sub(cell.chars().count()))))
            .collect();
        padded.join(" | ").trim_end().to_owned()
    };
    lines.push(title.to_owned());
    lines.push(line(&mut heads.iter().copied()));
    lines.push(widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>().join("-+-"));
    lines.extend(rows.iter().map(|row| line(&mut row.iter().map(String::as_str))));
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = r#"{"version": "2.0", "policy_id": "p", "parameters": {"b": 1, "a": 2},
        "payment_tree": {"type": "action", "node_id": "r", "action": "Release"}}"#;

    #[test]
    fn a_valid_policy_is_reported_with_its_trees() {
        let report = PolicyReport::of_text("p.json", VALID);
        assert!(report.passes());
        let expected = r#"{"description":null,"policy_id":"p","trees":{"has_bank_tree":false,"has_end_of_tick_collateral_tree":false,"has_payment_tree":true,"has_strategic_collateral_tree":false,"parameter_count":2,"parameters":["a","b"]},"valid":true,"version":"2.0"}"#;
        assert_eq!(report.to_json().to_string(), expected);
        let text = report.to_text(true);
        assert!(text.contains("Policy validation passed") && text.contains("File: p.json"), "{text}");
        assert!(text.contains("payment_tree                | Yes"), "{text}");
        assert!(text.contains("Parameters (2): a, b"), "{text}");
    }

    #[test]
    fn errors_have_a_message_and_a_type() {
        let text = VALID.replace("Release", "Relese");
        let report = PolicyReport::of_text("p.json", &text);
        assert!(!report.passes());
        let json = report.to_json();
        assert_eq!(json["valid"], false);
        assert_eq!(json["errors"][0]["type"], "ParseError");
        let message = json["errors"][0]["message"].as_str().unwrap_or_default();
        assert!(message.starts_with("JSON parsing failed: ") && message.contains("`Release`"), "{message}");
        assert!(report.to_text(false).contains("Policy validation failed with 1 error(s)"));
    }

    #[test]
    fn a_blank_file_is_a_problem_of_the_file() {
        let report = PolicyReport::of_text("p.json", " \n");
        assert_eq!(
            report.to_json().to_string(),
            r#"{"valid":false,"errors":[{"type":"EmptyFile","message":"policy file is empty: p.json"}]}"#
        );
        assert_eq!(report.to_text(true), "Error: policy file is empty: p.json\n");
    }

    #[test]
    fn switches_refuse_categories() {
        let mut report = PolicyReport::of_text("p.json", VALID);
        report.hold_against(&Toggles::Exclude([Category::PaymentAction].into()));
        let json = report.to_json();
        assert_eq!(json["forbidden_categories"], json!(["PaymentAction"]));
        assert_eq!(
            json["errors"][0]["message"],
            "Policy uses forbidden categories: PaymentAction. Excluded categories: PaymentAction."
        );
        assert_eq!(json["errors"][0]["type"], "ForbiddenCategory");
        assert!(json.get("trees").is_none());
    }

    #[test]
    fn functional_tests_are_added() {
        let mut report = PolicyReport::of_text("p.json", VALID);
        let test = |name, passed| FunctionalTest { name, passed, message: String::new() };
        report.add_tests(vec![test("load_policy", true), test("execute_policy", false)]);
        assert!(report.is_valid() && !report.passes());
        assert_eq!(report.to_json()["functional_tests"]["tests_passed"], 1);
        assert!(report.to_text(false).contains("Functional tests failed (1/2 passed)"));
    }
}

//! The summary for people: one page of blocks, as text for a terminal or as Markdown.

use serde_json::Value;

use super::super::diff::shown;
use super::{AcceptedComparison, AgentSummary, Baseline, Caution, Changed, Path, RunSummary};
use crate::money::Cents;
use crate::persistence::Status;
use crate::table::{Column, left, render, right};

/// A part of the page.
enum Block {
    Title(String),
    Heading(&'static str),
    Lines(Vec<String>),
    List(Vec<String>),
    Table { columns: Vec<Column<'static>>, rows: Vec<Vec<String>> },
}

impl RunSummary {
    /// The page as text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut page = String::new();
        for block in self.blocks() {
            match block {
                Block::Title(title) => page.push_str(&format!("{title}\n")),
                Block::Heading(heading) => page.push_str(&format!("\n{heading}\n")),
                Block::Lines(lines) => lines.iter().for_each(|line| page.push_str(&format!("  {line}\n"))),
                Block::List(items) => items.iter().for_each(|item| page.push_str(&format!("  - {item}\n"))),
                Block::Table { columns, rows } => {
                    render(&columns, &rows).lines().for_each(|line| page.push_str(&format!("  {line}\n")));
                }
            }
        }
        page
    }

    /// The page as Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut page = String::new();
        for block in self.blocks() {
            match block {
                Block::Title(title) => page.push_str(&format!("# {}\n", marked(&title))),
                Block::Heading(heading) => page.push_str(&format!("\n## {heading}\n")),
                Block::Lines(lines) => {
                    lines.iter().for_each(|line| page.push_str(&format!("\n{}\n", marked(line))));
                }
                Block::List(items) => {
                    page.push('\n');
                    items.iter().for_each(|item| page.push_str(&format!("- {}\n", marked(item))));
                }
                Block::Table { columns, rows } => page.push_str(&markdown_table(&columns, &rows)),
            }
        }
        page
    }

    fn blocks(&self) -> Vec<Block> {
        let mut blocks = vec![Block::Title(self.title()), Block::Lines(self.circumstances())];
        if !self.agents.is_empty() {
            blocks.push(Block::Heading("What was optimised"));
            blocks.push(self.policies());
        }
        if let Some(total) = &self.total {
            blocks.push(Block::Heading("Cost"));
            blocks.push(self.costs(total));
            blocks.push(Block::Lines(self.about_costs()));
        }
        if !self.baselines.is_empty() {
            blocks.push(Block::Heading("Against simple policies, in the last iteration"));
            blocks.push(self.against_baselines());
        }
        if self.total.is_some() {
            blocks.push(Block::Heading("Proposals"));
            blocks.push(self.proposals());
        }
        if !self.cautions.is_empty() {
            blocks.push(Block::Heading("Be careful"));
            blocks.push(Block::List(self.cautions.iter().map(|caution| self.caution(caution)).collect()));
        }
        blocks
    }

    fn title(&self) -> String {
        let iterations = if self.num_iterations == 1 { "iteration" } else { "iterations" };
        let stands = match self.status {
            Status::Running => "running, so far".to_owned(),
            status => format!("{status} after"),
        };
        format!("{}: {stands} {} {iterations}", self.run_id, self.num_iterations)
    }

    fn circumstances(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(reason) = &self.reason {
            let converged = if self.converged { "Converged" } else { "Not converged" };
            lines.push(match self.status {
                // Its reason says so.
                Status::Failed => reason.clone(),
                _ => format!("{converged}: {reason}"),
            });
        }
        let about = self.description.lines().next().map_or_else(String::new, |line| format!(": {line}"));
        lines.push(format!("Experiment {}{about}", self.experiment));
        if !self.mode.is_empty() {
            let samples =
                if self.samples > 1 { format!(", {} samples", self.samples) } else { String::new() };
            lines.push(format!("Measured by {}{samples}; master seed {}", self.mode, self.master_seed));
            let model =
                if self.model == self.proposer { String::new() } else { format!(" ({})", self.model) };
            lines.push(format!("Proposals by {}{model}", self.proposer));
        }
        lines
    }

    fn policies(&self) -> Block {
        let of_agent = |agent: &AgentSummary| {
            let mut rows: Vec<Vec<String>> = agent
                .parameters
                .iter()
                .map(|(name, Path { start, end, best })| {
                    vec![agent.agent.clone(), name.clone(), value(start), value(end), value(best)]
                })
                .collect();
            rows.extend(agent.changed.iter().map(|Changed { part, start, end, more }| {
                let more = if *more > 0 { format!(" and {more} more") } else { String::new() };
                let [start, end] = [start, end].map(value);
                vec![agent.agent.clone(), part.clone(), start, end + &more, String::new()]
            }));
            if rows.is_empty() {
                rows.push([agent.agent.as_str(), "", "", "", ""].map(str::to_owned).to_vec());
            }
            rows
        };
        let columns = vec![left("Bank"), left("Parameter"), right("Start"), right("End"), right("Best")];
        Block::Table { columns, rows: self.agents.iter().flat_map(of_agent).collect() }
    }

    fn costs(&self, total: &Path<i64>) -> Block {
        let row = |name: &str, Path { start, end, best }: &Path<i64>| {
            let changed = self.comparable.then(|| change(*start, *end));
            let cells = [name.to_owned(), dollars(*start), dollars(*end)];
            cells.into_iter().chain(changed).chain([dollars(*best)]).collect()
        };
        let agents = self.agents.iter().filter_map(|agent| Some(row(&agent.agent, agent.cost.as_ref()?)));
        let rows = agents.chain([row("total", total)]).collect();
        let mut columns = vec![left("Bank"), right("Start"), right("End"), right("Change"), right("Best")];
        columns.retain(|column| self.comparable || column.title != "Change");
        Block::Table { columns, rows }
    }

    fn about_costs(&self) -> Vec<String> {
        let mut lines = Vec::new();
        lines.extend(self.best_iteration.map(|at| format!("Best total in iteration {}.", at + 1)));
        if let Some(AcceptedComparison { agent, iteration, old_cost, new_cost, interval }) =
            &self.last_accepted
        {
            let costs = format!("{} to {}", dollars(*old_cost), dollars(*new_cost));
            let interval = interval.map_or_else(String::new, |(lower, upper)| {
                format!("; saved {} to {} (95 % interval)", dollars(lower), dollars(upper))
            });
            let at = iteration + 1;
            lines.push(format!("Last accepted comparison: {agent} in iteration {at}, {costs}{interval}."));
        }
        let rate = |rate: Option<f64>| rate.map_or_else(|| "not recorded".to_owned(), percent);
        let (start, end) = (rate(self.settlement_start), rate(self.settlement_end));
        lines.push(format!("Settlement rate: {start} at the start, {end} at the end."));
        lines
    }

    fn against_baselines(&self) -> Block {
        let end = self.total.as_ref().map(|total| total.end);
        let row = |it: &Baseline| {
            vec![
                it.name.clone(),
                means(&it.name).to_owned(),
                value(&Value::from(it.fraction)),
                dollars(it.total_cost),
                percent(it.settlement_rate),
                end.map_or_else(String::new, |end| change(it.total_cost, end)),
            ]
        };
        let columns = vec![
            left("Name"),
            left("Policy of every optimised bank"),
            right("Fraction"),
            right("Total cost"),
            right("Settled"),
            right("End against it"),
        ];
        Block::Table { columns, rows: self.baselines.iter().map(row).collect() }
    }

    fn proposals(&self) -> Block {
        let row = |name: &str, count: usize| vec![name.to_owned(), count.to_string()];
        let mut rows = vec![row("compared", self.comparisons), row("policies replaced", self.accepted)];
        rows.extend(
            self.rejections.iter().map(|it| row(&format!("rejected: {}", it.reason.words()), it.count)),
        );
        Block::Table { columns: vec![left("Outcome"), right("Number")], rows }
    }

    fn caution(&self, caution: &Caution) -> String {
        match caution {
            Caution::NotEnded => {
                let stands = match self.status {
                    Status::Running => "is running".to_owned(),
                    Status::Failed => "failed".to_owned(),
                    status => format!("was {status}"),
                };
                format!("the run {stands}: these are the figures so far")
            }
            Caution::NotConverged => {
                "not converged: with more iterations the policies may still improve".to_owned()
            }
            Caution::FewSamples { samples: 1 } => {
                "few samples: payments arrive by chance, and every cost is that of a single day".to_owned()
            }
            Caution::FewSamples { samples } => {
                format!("few samples: payments arrive by chance, and a cost is the mean of {samples} only")
            }
            Caution::NothingProposed { calls, without_reply, unusable } => {
                let why = why_nothing(*calls, *without_reply, *unusable);
                let converged = if self.converged { ", and that it converged says nothing" } else { "" };
                format!("nothing was ever compared or taken{converged}: {why}")
            }
            Caution::OtherDays => {
                let what = if self.samples > 1 { "samples" } else { "days" };
                format!(
                    "every iteration is measured on {what} of its own: totals of different iterations \
                     cannot be compared, and the best one is partly luck"
                )
            }
            Caution::FinalNotBest { end, best, iteration } => {
                let (end, best) = (dollars(*end), dollars(*best));
                format!(
                    "the final policies are not the best: {end} against {best} in iteration {}",
                    iteration + 1
                )
            }
            Caution::Unsettled { settlement_rate } => {
                format!("unsettled payments: {} settle at the end", percent(*settlement_rate))
            }
            Caution::DearerThanBaseline { baseline, total_cost } => {
                format!("the baseline `{baseline}` is cheaper than the end: {}", dollars(*total_cost))
            }
        }
    }
}

/// Why nothing came of the calls of a proposer.
fn why_nothing(calls: usize, without_reply: usize, unusable: usize) -> String {
    let of_calls = |count: usize, what: &str| format!("{count} of {calls} calls {what}");
    match (calls, without_reply, unusable) {
        (0, ..) => "nobody was asked for a proposal".to_owned(),
        (_, 0, 0) => "the proposer knew nothing better, or had nothing to vary".to_owned(),
        (_, without, 0) => of_calls(without, "got no reply"),
        (_, 0, unusable) => of_calls(unusable, "got a reply that could not be used"),
        (_, without, unusable) => {
            let unusable = of_calls(unusable, "a reply that could not be used");
            format!("{}, {unusable}", of_calls(without, "got no reply"))
        }
    }
}

/// What a baseline is, in words.
fn means(baseline: &str) -> &'static str {
    match baseline {
        "start" => "as at the start",
        "fifo" => "release at once, with the whole pool",
        "constant" => "release at once, the best common fraction",
        _ => "",
    }
}

fn value(value: &Value) -> String {
    if value.is_null() { "–".to_owned() } else { shown(value) }
}

fn dollars(cents: i64) -> String {
    Cents(cents).dollars()
}

fn percent(rate: f64) -> String {
    format!("{:.2}%", rate * 100.0)
}

/// The change from one cost to another in per cent.
fn change(from: i64, to: i64) -> String {
    if from == to {
        return "±0.0%".to_owned();
    }
    if from == 0 {
        return "n/a".to_owned();
    }
    format!("{:+.1}%", (to as f64 - from as f64) / (from as f64).abs() * 100.0)
}

/// A text in which Markdown sees no marks.
fn marked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '|' | '*' | '_' | '<' | '`' | '\\' | '[' | '#') {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

fn markdown_table(columns: &[Column<'_>], rows: &[Vec<String>]) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let titles = line(columns.iter().map(|column| column.title.to_owned()).collect());
    let rule = line(columns.iter().map(|it| if it.right { "---:" } else { ":---" }.to_owned()).collect());
    let rows = rows.iter().map(|row| line(row.iter().map(|cell| marked(cell)).collect()));
    ["\n".to_owned(), titles, rule].into_iter().chain(rows).collect()
}

//! Rings of three and more banks (spec 02, 12).

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::super::payments::Slot;
use super::super::{Simulation, TickFailure};
use super::LsmResult;
use super::group::Group;
use crate::ids::BankIdx;

/// Payments looked at while searching longer rings, per round (C19).
const VISITS: usize = 100_000;

/// Queue 2 by sender in byte order: receiver and payment in queue order.
type Graph = BTreeMap<BankIdx, Vec<(BankIdx, Slot)>>;

fn sent_by(graph: &Graph, bank: BankIdx) -> &[(BankIdx, Slot)] {
    graph.get(&bank).map_or(&[], Vec::as_slice)
}

impl Simulation {
    /// Settles candidates, most valuable first, until the tick's limit is reached (12.5, C20).
    /// Returns whether one settled.
    pub(super) fn ring_round(&mut self, result: &mut LsmResult) -> Result<bool, TickFailure> {
        let limit = self.scenario.lsm.max_cycles_per_tick as u64;
        let mut settled = false;
        if result.rings >= limit {
            return Ok(false);
        }
        for candidate in self.candidates() {
            if self.group_can_settle(&candidate) {
                self.settle_group(&candidate, result)?;
                settled = true;
                if result.rings >= limit {
                    break;
                }
            }
        }
        Ok(settled)
    }

    /// Triangles, then longer rings, by total value descending; equal ones keep their order (12.6).
    fn candidates(&self) -> Vec<Group> {
        let mut graph = Graph::new();
        for slot in &self.queue2 {
            let payment = &self.payments[*slot];
            graph.entry(payment.sender).or_default().push((payment.receiver, *slot));
        }
        let mut candidates = self.triangles(&graph);
        if self.scenario.lsm.max_cycle_length >= 4 {
            self.longer_rings(&graph, &mut candidates);
        }
        candidates.sort_by_key(|candidate| Reverse(candidate.total));
        candidates
    }

    /// 12.2: for u < v < w first u→v→w→u, then u→w→v→u, each with all parallel payments (C18).
    fn triangles(&self, graph: &Graph) -> Vec<Group> {
        let receivers: BTreeMap<BankIdx, Vec<BankIdx>> = graph
            .iter()
            .map(|(sender, sent)| {
                let mut to: Vec<BankIdx> = sent.iter().map(|(receiver, _)| *receiver).collect();
                to.sort_unstable();
                to.dedup();
                (*sender, to)
            })
            .collect();
        let to = |bank: BankIdx| receivers.get(&bank).map_or(&[][..], Vec::as_slice);
        let mut found = Vec::new();
        for &u in graph.keys() {
            let above = |bank: BankIdx| to(bank).iter().copied().filter(move |next| *next > u);
            for x in above(u) {
                found.extend(
                    above(x)
                        .filter(|y| to(*y).binary_search(&u).is_ok())
                        .map(|y| (u, x.min(y), x.max(y), x > y)),
                );
            }
        }
        found.sort_unstable();
        found
            .into_iter()
            .map(|(u, v, w, reverse)| self.triangle(graph, if reverse { [u, w, v] } else { [u, v, w] }))
            .collect()
    }

    fn triangle(&self, graph: &Graph, banks: [BankIdx; 3]) -> Group {
        let [first, second, third] = banks;
        let legs = [(first, second), (second, third), (third, first)];
        let leg = |(from, to)| {
            let parallel = sent_by(graph, from).iter().filter(move |(receiver, _)| *receiver == to);
            parallel.map(|(_, slot)| *slot)
        };
        self.group(banks.to_vec(), legs.into_iter().flat_map(leg).collect())
    }

    /// 12.3: depth-first from every sender, every payment an edge of its own (C19).
    fn longer_rings(&self, graph: &Graph, candidates: &mut Vec<Group>) {
        let max_length = self.scenario.lsm.max_cycle_length;
        let mut search =
            Search { graph, max_length, visits_left: VISITS, path: Vec::new(), found: Vec::new() };
        for &start in graph.keys() {
            search.extend(start, start);
        }
        candidates.extend(search.found.into_iter().map(|(banks, payments)| self.group(banks, payments)));
    }
}

/// A depth-first search with a budget of visits; its depth is at most the longest ring, 10.
struct Search<'a> {
    graph: &'a Graph,
    max_length: usize,
    visits_left: usize,
    /// Receiver and payment of each step so far.
    path: Vec<(BankIdx, Slot)>,
    found: Vec<(Vec<BankIdx>, Vec<Slot>)>,
}

impl Search<'_> {
    fn extend(&mut self, start: BankIdx, bank: BankIdx) {
        if self.path.len() >= self.max_length {
            return;
        }
        let graph = self.graph;
        for &(receiver, slot) in sent_by(graph, bank) {
            if self.visits_left == 0 {
                return;
            }
            self.visits_left -= 1;
            if receiver == start {
                if self.path.len() >= 3 {
                    self.close(start, slot);
                }
            } else if receiver > start && !self.path.iter().any(|(bank, _)| *bank == receiver) {
                self.path.push((receiver, slot));
                self.extend(start, receiver);
                self.path.pop();
            }
        }
    }

    fn close(&mut self, start: BankIdx, last: Slot) {
        let banks = [start].into_iter().chain(self.path.iter().map(|(bank, _)| *bank)).collect();
        let payments = self.path.iter().map(|(_, slot)| *slot).chain([last]).collect();
        self.found.push((banks, payments));
    }
}

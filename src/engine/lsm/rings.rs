//! Rings of three and more banks (spec 02, 12).

use std::cmp::Reverse;
use std::ops::Range;

use super::super::payments::Slot;
use super::super::{Simulation, TickFailure};
use super::LsmResult;
use super::group::Group;
use crate::ids::BankIdx;

/// Payments looked at while searching longer rings, per round (C19).
const VISITS: usize = 100_000;

/// Queue 2 by sender: receiver and payment in queue order.
type Graph = Vec<Vec<(BankIdx, Slot)>>;

/// Queue 2 by sender and receiver.
struct Legs {
    /// By sender, then receiver, then in queue order.
    payments: Vec<Slot>,
    /// By sender, then receiver.
    all: Vec<Leg>,
    /// By sender, its positions in `all`.
    sent: Vec<Range<usize>>,
}

impl Legs {
    fn sent_by(&self, bank: BankIdx) -> &[Leg] {
        &self.all[self.sent[bank.at()].clone()]
    }
}

/// All that one bank has queued for another.
struct Leg {
    from: BankIdx,
    to: BankIdx,
    /// Positions in [`Legs::payments`].
    range: Range<usize>,
    total: i128,
}

/// Three banks and what each has queued for the next. There can be very many of them, so that
/// the payments are listed only where the three can pay.
struct Triangle<'a> {
    /// The first is the lowest.
    banks: [BankIdx; 3],
    legs: [&'a Leg; 3],
    total: i128,
}

/// What a round may settle.
enum Candidate<'a> {
    Triangle(Triangle<'a>),
    Longer(Group),
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
        let graph = self.graph();
        let legs = self.legs(&graph);
        let mut candidates = self.triangles(&legs);
        if self.scenario.lsm.max_cycle_length >= 4 {
            candidates.extend(self.longer_rings(&graph).into_iter().map(Candidate::Longer));
        }
        // Only a settlement can make another one possible: without a first there is none.
        if !candidates.iter().any(|candidate| self.feasible(candidate, &legs).is_some()) {
            return Ok(false);
        }
        candidates.sort_by_key(Candidate::rank);
        for candidate in &candidates {
            if let Some(group) = self.feasible(candidate, &legs) {
                self.settle_group(&group, result)?;
                settled = true;
                if result.rings >= limit {
                    break;
                }
            }
        }
        Ok(settled)
    }

    /// The payments of a candidate, if they can settle now.
    fn feasible(&self, candidate: &Candidate<'_>, legs: &Legs) -> Option<Group> {
        let group = match candidate {
            Candidate::Triangle(triangle) => {
                let [first, second, third] = triangle.legs.map(|leg| leg.total);
                let nets = [third - first, first - second, second - third];
                if !triangle.banks.into_iter().zip(nets).all(|(bank, net)| self.affords(bank, net)) {
                    return None;
                }
                let payments = triangle.legs.iter().flat_map(|leg| &legs.payments[leg.range.clone()]);
                self.group(triangle.banks.to_vec(), payments.copied().collect())
            }
            Candidate::Longer(group) => group.clone(),
        };
        self.group_can_settle(&group).then_some(group)
    }

    fn graph(&self) -> Graph {
        let mut graph = vec![Vec::new(); self.banks.len()];
        for slot in &self.queue2 {
            let payment = &self.payments[*slot];
            graph[payment.sender.at()].push((payment.receiver, *slot));
        }
        graph
    }

    fn legs(&self, graph: &Graph) -> Legs {
        let payments = Vec::with_capacity(self.queue2.len());
        let mut legs = Legs { payments, all: Vec::new(), sent: Vec::with_capacity(graph.len()) };
        let mut by_receiver = Vec::new();
        for (from, sent) in self.scenario.names.banks().zip(graph) {
            by_receiver.clone_from(sent);
            by_receiver.sort_by_key(|(receiver, _)| *receiver);
            let first = legs.all.len();
            for parallel in by_receiver.chunk_by(|(one, _), (other, _)| one == other) {
                let start = legs.payments.len();
                legs.payments.extend(parallel.iter().map(|(_, slot)| *slot));
                let amounts = parallel.iter().map(|(_, slot)| i128::from(self.payments[*slot].remaining.0));
                let (range, total) = (start..legs.payments.len(), amounts.sum());
                legs.all.push(Leg { from, to: parallel[0].0, range, total });
            }
            legs.sent.push(first..legs.all.len());
        }
        legs
    }

    /// 12.2: three banks that each have something queued for the next, with all parallel payments,
    /// from the lowest of them in both directions (C18).
    fn triangles<'a>(&self, legs: &'a Legs) -> Vec<Candidate<'a>> {
        let mut received: Vec<&Leg> = legs.all.iter().collect();
        received.sort_by_key(|leg| leg.to);
        let mut received = received.into_iter().peekable();
        let mut found = Vec::new();
        // The legs that lead back to the lowest bank, by sender, each with that bank.
        let mut back: Vec<Option<&Leg>> = vec![None; self.banks.len()];
        for u in self.scenario.names.banks() {
            while let Some(leg) = received.next_if(|leg| leg.to == u) {
                back[leg.from.at()] = Some(leg);
            }
            for first in legs.sent_by(u).iter().filter(|leg| leg.to > u) {
                for second in legs.sent_by(first.to).iter().filter(|leg| leg.to > u) {
                    if let Some(third) = back[second.to.at()].filter(|leg| leg.to == u) {
                        found.push(Candidate::Triangle(Triangle {
                            banks: [u, first.to, second.to],
                            legs: [first, second, third],
                            total: first.total + second.total + third.total,
                        }));
                    }
                }
            }
        }
        found
    }

    /// 12.3: depth-first from every sender, every payment an edge of its own (C19).
    fn longer_rings(&self, graph: &Graph) -> Vec<Group> {
        let max_length = self.scenario.lsm.max_cycle_length;
        let mut search =
            Search { graph, max_length, visits_left: VISITS, path: Vec::new(), found: Vec::new() };
        for start in self.scenario.names.banks() {
            search.extend(start, start);
        }
        search.found.into_iter().map(|(banks, payments)| self.group(banks, payments)).collect()
    }
}

impl Candidate<'_> {
    /// By total descending; among equals triangles by their banks, both directions of the same
    /// three side by side, then longer rings as they were found (12.6, C18).
    fn rank(&self) -> (Reverse<i128>, bool, [BankIdx; 3], bool) {
        match self {
            Self::Triangle(Triangle { banks: [u, x, y], total, .. }) => {
                (Reverse(*total), false, [*u, *x.min(y), *x.max(y)], x > y)
            }
            Self::Longer(group) => (Reverse(group.total), true, [BankIdx(0); 3], false),
        }
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
        for &(receiver, slot) in &graph[bank.at()] {
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

//! Payments that come into being: of a payments file, then automatic ones (spec 01, 2.12 and 9).

use super::Simulation;
use super::payments::{NewPayment, Payment, Slot};
use super::sampling;
use crate::event::Event;
use crate::ids::BankIdx;
use crate::rng::Rng;
use crate::scenario::{AmountDistribution, Arrivals, Band, Bank, PriorityDistribution, Scenario};
use crate::time::Tick;

/// The current arrival settings of a bank; scenario events change those of a single stream.
#[derive(Clone, Debug)]
pub(super) enum ArrivalState {
    None,
    Single(Stream, PriorityDistribution),
    Bands(Vec<(Band, Stream)>),
}

/// A stream of payments.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    pub base_rate: f64,
    pub rate: f64,
    amounts: AmountDistribution,
    pub deadline_range: (i64, i64),
    receivers: Receivers,
    divisible: bool,
}

/// The candidates for a receiver: all other banks in the order of the file (8.5).
#[derive(Clone, Debug)]
struct Receivers {
    candidates: Vec<BankIdx>,
    /// Parallel to the candidates; `None`: all alike.
    weights: Option<Weights>,
}

#[derive(Clone, Debug)]
struct Weights {
    by_candidate: Vec<f64>,
    total: f64,
}

impl Receivers {
    fn new(scenario: &Scenario, sender: BankIdx, named: &[(BankIdx, f64)]) -> Self {
        let candidates: Vec<BankIdx> =
            scenario.file_order.iter().copied().filter(|bank| *bank != sender).collect();
        let weight_of =
            |bank: &BankIdx| named.iter().find(|(name, _)| name == bank).map_or(1.0, |(_, weight)| *weight);
        let weights = (!named.is_empty()).then(|| Weights::new(candidates.iter().map(weight_of).collect()));
        Self { candidates, weights }
    }

    fn draw(&self, rng: &mut Rng) -> Option<BankIdx> {
        let position = match &self.weights {
            Some(weights) => sampling::weighted_position(&weights.by_candidate, weights.total, rng),
            None => rng.range(0, self.candidates.len() as i128).unsigned_abs() as usize,
        };
        self.candidates.get(position).copied()
    }

    fn set_weight(&mut self, receiver: BankIdx, weight: f64) {
        let Some(position) = self.candidates.iter().position(|bank| *bank == receiver) else { return };
        let mut by_candidate = match self.weights.take() {
            Some(weights) => weights.by_candidate,
            None => vec![1.0; self.candidates.len()],
        };
        by_candidate[position] = weight;
        self.weights = Some(Weights::new(by_candidate));
    }
}

impl Weights {
    fn new(by_candidate: Vec<f64>) -> Self {
        // Summed from 0.0 in file order, as the draw subtracts.
        let total = by_candidate.iter().fold(0.0, |sum, weight| sum + weight);
        Self { by_candidate, total }
    }
}

impl ArrivalState {
    pub fn new(scenario: &Scenario, index: BankIdx, bank: &Bank) -> Self {
        match &bank.arrivals {
            Arrivals::None => Self::None,
            Arrivals::Single(config) => {
                let stream = Stream {
                    base_rate: config.rate_per_tick,
                    rate: config.rate_per_tick,
                    amounts: config.amounts,
                    deadline_range: config.deadline_range,
                    receivers: Receivers::new(scenario, index, &config.counterparty_weights),
                    divisible: config.divisible,
                };
                Self::Single(stream, config.priorities.clone())
            }
            Arrivals::Bands(bands) => {
                let streams = [Band::Urgent, Band::Normal, Band::Low].into_iter().zip(bands);
                let present = streams.filter_map(|(band, config)| {
                    let config = config.as_ref()?;
                    let stream = Stream {
                        base_rate: config.rate_per_tick,
                        rate: config.rate_per_tick,
                        amounts: config.amounts,
                        deadline_range: config.deadline_range,
                        receivers: Receivers::new(scenario, index, &config.counterparty_weights),
                        divisible: config.divisible,
                    };
                    Some((band, stream))
                });
                Self::Bands(present.collect())
            }
        }
    }

    /// The single stream, which alone scenario events change.
    pub const fn single(&mut self) -> Option<&mut Stream> {
        match self {
            Self::Single(stream, _) => Some(stream),
            Self::None | Self::Bands(_) => None,
        }
    }
}

impl Stream {
    pub fn set_weight(&mut self, receiver: BankIdx, weight: f64) {
        self.receivers.set_weight(receiver, weight);
    }

    /// The weight of every candidate for a receiver; `None`: all alike.
    pub fn weights(&self) -> Option<Vec<(BankIdx, f64)>> {
        let Receivers { candidates, weights } = &self.receivers;
        weights
            .as_ref()
            .map(|weights| candidates.iter().copied().zip(weights.by_candidate.iter().copied()).collect())
    }

    /// Sets the weight of every candidate, or makes all alike; `None` if one has no weight.
    pub fn set_weights(&mut self, weighted: bool, weight_of: impl Fn(BankIdx) -> Option<f64>) -> Option<()> {
        let candidates = self.receivers.candidates.iter();
        self.receivers.weights = if weighted {
            Some(Weights::new(candidates.map(|bank| weight_of(*bank)).collect::<Option<_>>()?))
        } else {
            None
        };
        Some(())
    }
}

/// What one draw gives: receiver, amount, deadline offset, priority.
struct Drawn {
    new: NewPayment,
    offset: u64,
}

impl Stream {
    /// The draws of one payment in the specified order (9.2, 9.3).
    fn draw(&self, sender: BankIdx, rng: &mut Rng, priority: impl FnOnce(&mut Rng) -> u8) -> Option<Drawn> {
        let amount = sampling::amount(&self.amounts, rng);
        let receiver = self.receivers.draw(rng)?;
        let offset = sampling::deadline_offset(self.deadline_range, rng);
        let priority = priority(rng);
        let is_divisible = self.divisible;
        Some(Drawn {
            new: NewPayment { sender, receiver, amount, deadline: Tick(0), priority, is_divisible },
            offset,
        })
    }
}

impl Simulation {
    /// Step 4: the payments of a file due now, then the automatic ones of every bank.
    pub(super) fn arrivals(&mut self) {
        self.file_payments();
        let first = self.events.len();
        for bank in self.scenario.names.banks() {
            self.automatic_arrivals(bank);
        }
        debug_assert!(self.events[first..].iter().all(|event| matches!(event, Event::Arrival { .. })));
    }

    fn file_payments(&mut self) {
        while let Some(&index) = self.file_payments_due.get(self.next_file_payment) {
            let payment = self.scenario.payments[index];
            if payment.tick != self.now {
                break;
            }
            self.next_file_payment += 1;
            let uncapped = match payment.deadline {
                Some(deadline) => i128::from(deadline.0),
                None => self.default_deadline(),
            };
            self.arrive(NewPayment {
                sender: payment.sender,
                receiver: payment.receiver,
                amount: payment.amount,
                deadline: self.capped_custom_deadline(uncapped),
                priority: payment.priority,
                is_divisible: false,
            });
        }
    }

    fn automatic_arrivals(&mut self, bank: BankIdx) {
        // The settings are taken out while payments are added, and put back unchanged.
        let state = std::mem::replace(&mut self.banks[bank.at()].arrivals, ArrivalState::None);
        match &state {
            ArrivalState::None => {}
            ArrivalState::Single(stream, priorities) => {
                for _ in 0..sampling::poisson(stream.rate, &mut self.rng) {
                    let drawn = stream.draw(bank, &mut self.rng, |rng| sampling::priority(priorities, rng));
                    self.arrive_drawn(drawn);
                }
            }
            ArrivalState::Bands(bands) => {
                for (band, stream) in bands {
                    for _ in 0..sampling::poisson(stream.rate, &mut self.rng) {
                        let drawn =
                            stream.draw(bank, &mut self.rng, |rng| sampling::band_priority(*band, rng));
                        self.arrive_drawn(drawn);
                    }
                }
            }
        }
        self.banks[bank.at()].arrivals = state;
    }

    fn arrive_drawn(&mut self, drawn: Option<Drawn>) {
        if let Some(Drawn { new, offset }) = drawn {
            let deadline = self.capped_automatic_deadline(offset);
            self.arrive(NewPayment { deadline, ..new });
        }
    }

    /// 9.4: capped at the end of the run and, one tick later than for custom arrivals, of the day.
    fn capped_automatic_deadline(&self, offset: u64) -> Tick {
        let calendar = self.scenario.calendar;
        let mut deadline = self.now.after(offset).min(calendar.end());
        if self.scenario.settings.deadline_cap_at_eod {
            deadline = deadline.min(calendar.next_day_start(self.now));
        }
        deadline.max(self.now.after(1))
    }

    /// 9.5: the uncapped deadline of a custom arrival that names none.
    pub(super) fn default_deadline(&self) -> i128 {
        i128::from(self.now.0) + i128::from((self.scenario.calendar.ticks_per_day / 10).max(5))
    }

    /// 9.5: capped at the end of the run and at the last tick of the day.
    pub(super) fn capped_custom_deadline(&self, uncapped: i128) -> Tick {
        let calendar = self.scenario.calendar;
        let mut deadline = Tick(u64::try_from(uncapped).unwrap_or(u64::MAX)).min(calendar.end());
        if self.scenario.settings.deadline_cap_at_eod {
            deadline = deadline.min(Tick(calendar.next_day_start(self.now).0 - 1));
        }
        deadline.max(self.now.after(1))
    }

    /// An original payment comes into being and joins its sender's queue 1.
    pub(super) fn arrive(&mut self, new: NewPayment) -> Slot {
        let id = self.payments.next_id();
        let slot = self.payments.insert(Payment::original(new, id, self.now));
        let bank = &mut self.banks[new.sender.at()];
        bank.queue1.push(slot);
        bank.queue1_value += i128::from(new.amount.0);
        bank.today_arrived += i128::from(new.amount.0);
        self.counts.arrivals += 1;
        self.totals.arrivals += 1;
        self.events.push(Event::Arrival {
            tx_id: id,
            sender_id: new.sender,
            receiver_id: new.receiver,
            amount: new.amount,
            deadline: new.deadline,
            priority: new.priority,
            is_divisible: new.is_divisible,
            parent_tx_id: None,
        });
        slot
    }
}

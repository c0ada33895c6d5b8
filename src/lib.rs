//! payment-sim: a simulator of interbank real-time gross settlement (RTGS), with experiments on top, one
//! DuckDB file under it and a terminal explorer.
//!
//! Banks hold settlement balances and send each other payments. Liquidity costs money, waiting costs
//! money; policies decide when a payment is released, liquidity-saving mechanisms net what is queued.
//! Everything that happens is an [`event::Event`], and everything that is shown is folded from events.
//!
//! # A simulation in a few lines
//!
//! ```
//! use payment_sim::engine::Simulation;
//! use payment_sim::replay::State;
//! use payment_sim::scenario::Overrides;
//! use payment_sim::sources::load_scenario;
//!
//! let scenario = load_scenario("library:gridlock-ring", &Overrides::default())?.resolved;
//! let mut simulation = Simulation::new(scenario.clone());
//! let mut state = State::new(scenario.clone());
//! for _ in 0..10 {
//!     let tick = simulation.now();
//!     state.apply_tick(tick, simulation.step()?)?;
//! }
//! // What the events say is what the engine holds.
//! for bank in scenario.names.banks() {
//!     assert_eq!(state.position(bank), simulation.bank(bank).position);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Whoever wants it stored, cancelled or watched does not step it, but asks [`run::simulate`], the one loop
//! of command line, experiments and explorer.
//!
//! # Where things are, in reading order
//!
//! 1. [`money`], [`time`], [`ids`], [`costs`], [`rng`]: a type for every number. Banks and payments are
//!    dense indices; names come back when something is written or shown.
//! 2. [`event`]: the catalogue of events is one table; their text, their order and their digest are here.
//! 3. [`document`] and [`scenario`]: a file as a located tree; the scenario as written and as resolved.
//! 4. [`policy`]: decision trees, from one registry of fields and actions: read, checked, compiled,
//!    evaluated, explained.
//! 5. [`engine`]: the tick as a list of phases, a file each. No clock, file, thread or chance but the seed.
//! 6. [`replay`]: the state after any tick, from events alone; [`metrics`]: figures, from events alone;
//!    [`transcript`]: a tick as text.
//! 7. [`persistence`]: the provider through which every simulation is stored, the database, its layout and
//!    its queries. Nothing else knows SQL.
//! 8. [`run`]: the one loop.
//! 9. [`experiment`]: samples, proposers, acceptance, convergence; the runner; sweeps.
//! 10. [`library`] and [`sources`]: what comes with the program, and files.
//! 11. [`explorer`] and [`cli`]: what people see.
//!
//! A module uses only what stands above it here; a test keeps it so.

pub mod cli;
pub mod costs;
pub mod document;
pub mod engine;
pub mod event;
pub mod experiment;
pub mod explorer;
pub mod finding;
pub mod ids;
pub mod library;
pub mod liquidity;
pub mod metrics;
pub mod money;
pub mod persistence;
pub mod policy;
pub mod rates;
pub mod replay;
pub mod rng;
pub mod run;
pub mod scenario;
pub mod sources;
pub mod table;
pub mod text;
pub mod time;
pub mod transcript;

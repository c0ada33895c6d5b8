//! The terminal explorer.

mod describe;
mod desk;
mod draw;
mod event_loop;
mod filter;
mod format;
mod jobs;
mod key;
mod keymap;
mod look;
mod message;
mod prompt;
mod readers;
mod rows;
mod screens;
mod search;
mod session;
mod state;
mod terminal;
mod update;
mod widgets;
mod window;

#[cfg(test)]
mod tests;

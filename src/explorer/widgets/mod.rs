//! Building blocks of the screens: each draws from what it is given and remembers nothing.

pub mod chart;
pub mod dialog;
pub mod input;
pub mod pane;
pub mod scrubber;
pub mod table;
pub mod text;

//! How things look: styles by meaning, glyphs with an ASCII form. Nothing rests on colour alone.

use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::border;

/// What a piece of text means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    #[default]
    Plain,
    Muted,
    Strong,
    Accent,
    Good,
    Bad,
    Warn,
    /// The n-th line of a chart.
    Series(usize),
}

/// The characters in use.
#[derive(Debug)]
pub struct Glyphs {
    pub marker: &'static str,
    pub up: &'static str,
    pub down: &'static str,
    pub crumb: &'static str,
    pub dot: &'static str,
    pub ellipsis: &'static str,
    pub play: &'static str,
    pub pause: &'static str,
    pub running: &'static str,
    pub done: &'static str,
    pub failed: &'static str,
    pub stopped: &'static str,
    pub cursor: &'static str,
    pub bars: &'static [&'static str],
    pub filled: &'static str,
    pub empty: &'static str,
    pub axis: &'static str,
    borders: [border::Set<'static>; 2],
}

const UNICODE: Glyphs = Glyphs {
    marker: "▸",
    up: "▲",
    down: "▼",
    crumb: "›",
    dot: "·",
    ellipsis: "…",
    play: "▶",
    pause: "‖",
    running: "●",
    done: "✓",
    failed: "✗",
    stopped: "■",
    cursor: "┃",
    bars: &[" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    filled: "█",
    empty: "░",
    axis: "│",
    borders: [border::ROUNDED, border::THICK],
};

const ASCII_PLAIN: border::Set<'static> = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

const ASCII_FOCUSED: border::Set<'static> = border::Set {
    top_left: "#",
    top_right: "#",
    bottom_left: "#",
    bottom_right: "#",
    vertical_left: "#",
    vertical_right: "#",
    horizontal_top: "=",
    horizontal_bottom: "=",
};

const ASCII: Glyphs = Glyphs {
    marker: ">",
    up: "+",
    down: "-",
    crumb: ">",
    dot: "-",
    ellipsis: "~",
    play: ">",
    pause: "||",
    running: "*",
    done: "+",
    failed: "x",
    stopped: "#",
    cursor: "|",
    bars: &[" ", ".", ":", "-", "=", "+", "*", "#", "@"],
    filled: "#",
    empty: ".",
    axis: "|",
    borders: [ASCII_PLAIN, ASCII_FOCUSED],
};

/// The look of this session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Whether colours are used (`NO_COLOR` switches them off).
    pub colour: bool,
    /// Whether only ASCII characters are used.
    pub ascii: bool,
}

const SERIES: [Color; 6] =
    [Color::Cyan, Color::Yellow, Color::Magenta, Color::Green, Color::Blue, Color::Red];

impl Look {
    /// The characters in use.
    pub const fn glyphs(self) -> &'static Glyphs {
        if self.ascii { &ASCII } else { &UNICODE }
    }

    /// The style of a meaning.
    pub fn style(self, tone: Tone) -> Style {
        let style = Style::new();
        let coloured = |colour| if self.colour { style.fg(colour) } else { style };
        match tone {
            Tone::Plain => style,
            Tone::Muted => style.add_modifier(Modifier::DIM),
            Tone::Strong => style.add_modifier(Modifier::BOLD),
            Tone::Accent => coloured(Color::Cyan).add_modifier(Modifier::BOLD),
            Tone::Good => coloured(Color::Green),
            Tone::Bad => coloured(Color::Red).add_modifier(Modifier::BOLD),
            Tone::Warn => coloured(Color::Yellow),
            Tone::Series(number) => coloured(SERIES[number % SERIES.len()]),
        }
    }

    /// The selected row of the pane with the focus, and of others.
    pub fn selection(self, focused: bool) -> Style {
        if focused {
            Style::new().add_modifier(Modifier::REVERSED)
        } else {
            Style::new().add_modifier(Modifier::BOLD)
        }
    }

    /// The line around a pane.
    pub const fn border(self, focused: bool) -> border::Set<'static> {
        self.glyphs().borders[focused as usize]
    }

    /// Its style.
    pub fn border_style(self, focused: bool) -> Style {
        self.style(if focused { Tone::Accent } else { Tone::Muted })
    }
}

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

/// Which colours are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// The sixteen colours of the terminal, for a dark background.
    #[default]
    Dark,
    /// The same, without those that are faint on a light background.
    Light,
    /// Colours that everybody can tell apart (after Okabe and Ito), from the table of 256.
    ColourBlind,
}

impl Theme {
    /// The theme of a name in the settings.
    pub fn find(name: &str) -> Option<Self> {
        match name {
            "dark" => Some(Self::Dark),
            "light" => Some(Self::Light),
            "colour-blind" => Some(Self::ColourBlind),
            _ => None,
        }
    }

    /// Accent, good, bad, warning.
    const fn meanings(self) -> [Color; 4] {
        match self {
            Self::Dark => [Color::Cyan, Color::Green, Color::Red, Color::Yellow],
            Self::Light => [Color::Blue, Color::Green, Color::Red, Color::Magenta],
            Self::ColourBlind => [SKY_BLUE, GREEN, VERMILION, ORANGE],
        }
    }

    /// The lines of a chart.
    const fn series(self) -> [Color; 6] {
        match self {
            Self::Dark => [Color::Cyan, Color::Yellow, Color::Magenta, Color::Green, Color::Blue, Color::Red],
            Self::Light => {
                [Color::Blue, Color::Red, Color::Magenta, Color::Green, Color::DarkGray, Color::Black]
            }
            Self::ColourBlind => [SKY_BLUE, ORANGE, GREEN, PURPLE, VERMILION, YELLOW],
        }
    }
}

const ORANGE: Color = Color::Indexed(214);
const SKY_BLUE: Color = Color::Indexed(74);
const GREEN: Color = Color::Indexed(36);
const YELLOW: Color = Color::Indexed(227);
const VERMILION: Color = Color::Indexed(166);
const PURPLE: Color = Color::Indexed(175);

/// The look of this session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Whether colours are used (`NO_COLOR` switches them off).
    pub colour: bool,
    /// Whether only ASCII characters are used.
    pub ascii: bool,
    /// Which colours.
    pub theme: Theme,
}

impl Look {
    /// The characters in use.
    pub const fn glyphs(self) -> &'static Glyphs {
        if self.ascii { &ASCII } else { &UNICODE }
    }

    /// The style of a meaning.
    pub fn style(self, tone: Tone) -> Style {
        let style = Style::new();
        let coloured = |colour| if self.colour { style.fg(colour) } else { style };
        let [accent, good, bad, warn] = self.theme.meanings();
        let series = self.theme.series();
        match tone {
            Tone::Plain => style,
            Tone::Muted => style.add_modifier(Modifier::DIM),
            Tone::Strong => style.add_modifier(Modifier::BOLD),
            Tone::Accent => coloured(accent).add_modifier(Modifier::BOLD),
            Tone::Good => coloured(good),
            Tone::Bad => coloured(bad).add_modifier(Modifier::BOLD),
            Tone::Warn => coloured(warn),
            Tone::Series(number) => coloured(series[number % series.len()]),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_meanings_and_no_two_lines_share_a_colour() {
        for name in ["dark", "light", "colour-blind"] {
            let theme = Theme::find(name).unwrap_or_default();
            for colours in [&theme.meanings()[..], &theme.series()[..]] {
                for (at, colour) in colours.iter().enumerate() {
                    assert!(!colours[at + 1..].contains(colour), "{name}: {colour:?}");
                }
            }
        }
        assert_eq!(Theme::find("solarized"), None);
    }
}

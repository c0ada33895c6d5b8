//! The scrubber: how many events happened when, over the whole run, and where we are.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::explorer::look::{Look, Tone};

/// Draws one line: density as bars, the cursor at its place (0 to 1).
pub fn draw(density: &[u64], cursor: f64, area: Rect, buffer: &mut Buffer, look: Look) {
    if area.width == 0 || area.height == 0 {
        return;
    }
    let bars = look.glyphs().bars;
    let heights = resample(density, area.width.into());
    let highest = heights.iter().copied().max().unwrap_or(0).max(1);
    for (column, height) in heights.iter().enumerate() {
        // What happened at all is seen: only nothing has no bar.
        let level = match height {
            0 => 0,
            height => 1 + (u128::from(*height - 1) * (bars.len() as u128 - 1) / u128::from(highest)) as usize,
        };
        let bar = bars[level.min(bars.len() - 1)];
        buffer.set_string(area.x + column as u16, area.y, bar, look.style(Tone::Muted));
    }
    let place = (cursor.clamp(0.0, 1.0) * f64::from(area.width - 1)).round() as u16;
    buffer.set_string(area.x + place, area.y, look.glyphs().cursor, look.style(Tone::Accent));
}

/// The largest of the values that fall on each column.
fn resample(values: &[u64], columns: usize) -> Vec<u64> {
    (0..columns)
        .map(|column| {
            let from = column * values.len() / columns;
            let to = ((column + 1) * values.len() / columns).max(from + 1).min(values.len());
            values.get(from..to).and_then(|stretch| stretch.iter().copied().max()).unwrap_or(0)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_shows_its_busiest_stretch() {
        assert_eq!(resample(&[1, 9, 2, 3], 2), [9, 3]);
        assert_eq!(resample(&[4, 5], 4), [4, 4, 5, 5]);
        assert_eq!(resample(&[], 3), [0, 0, 0]);
    }
}

//! The cost chart of a run as a picture (spec 07, 20.3): laid out once, written as SVG or PNG.

mod png;
mod scale;
mod svg;

use super::chart::{ChartData, ChartPoint};
use crate::money::Cents;
use scale::Scale;

/// Size of the picture in its own units; a PNG has twice as many pixels each way.
const WIDTH: f32 = 1200.0;
const HEIGHT: f32 = 720.0;

/// Where the lines are: left, top, right, bottom.
const PLOT: (f32, f32, f32, f32) = (130.0, 96.0, 1165.0, 640.0);

/// Height of the letters of a label.
const LABEL: f32 = 15.0;

/// A PNG that could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the picture cannot be drawn: {0}")]
pub struct PictureError(String);

/// A colour: red, green, blue.
type Colour = (u8, u8, u8);

const BLACK: Colour = (33, 33, 33);
const GREY: Colour = (130, 130, 130);
const PALE: Colour = (225, 225, 225);
const BLUE: Colour = (31, 90, 180);

/// Where a text stands to its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Anchor {
    Start,
    Middle,
    End,
}

/// A piece of the picture.
#[derive(Clone, Debug, PartialEq)]
enum Mark {
    Line {
        points: Vec<(f32, f32)>,
        colour: Colour,
        width: f32,
        dashed: bool,
    },
    /// A ring where it is not filled.
    Dot {
        at: (f32, f32),
        radius: f32,
        colour: Colour,
        filled: bool,
    },
    Text {
        at: (f32, f32),
        text: String,
        size: f32,
        anchor: Anchor,
        colour: Colour,
        upwards: bool,
    },
}

impl ChartData {
    /// The chart as SVG.
    #[must_use]
    pub fn svg(&self) -> String {
        svg::document(&self.marks())
    }

    /// The chart as PNG; its font is part of the program.
    ///
    /// # Errors
    ///
    /// No memory for the picture.
    pub fn png(&self) -> Result<Vec<u8>, PictureError> {
        png::file(&self.marks())
    }

    fn marks(&self) -> Vec<Mark> {
        let mut marks = vec![text((WIDTH / 2.0, 42.0), &self.title(), 24.0, Anchor::Middle)];
        let axes = Axes::of(self);
        axes.draw(&mut marks);
        let all: Vec<(f32, f32)> =
            self.points.iter().map(|point| axes.place(point.iteration, point.cost)).collect();
        let line = self.accepted_line();
        let accepted = self.points.iter().zip(line).map(|(point, cost)| axes.place(point.iteration, cost));
        marks.push(Mark::Line { points: all.clone(), colour: GREY, width: 1.6, dashed: true });
        marks.push(Mark::Line { points: accepted.collect(), colour: BLUE, width: 3.0, dashed: false });
        for (point, at) in self.points.iter().zip(&all) {
            let colour = if point.accepted { BLUE } else { GREY };
            marks.push(Mark::Dot { at: *at, radius: 4.5, colour, filled: point.accepted });
        }
        self.legend(&mut marks);
        self.parameters(&all, &mut marks);
        marks
    }

    fn legend(&self, marks: &mut Vec<Mark>) {
        let y = 72.0;
        for (x, name, colour, dashed) in
            [(360.0, "All Policies", GREY, true), (640.0, "Accepted Policies", BLUE, false)]
        {
            let points = vec![(x, y), (x + 50.0, y)];
            marks.push(Mark::Line { points, colour, width: if dashed { 1.6 } else { 3.0 }, dashed });
            marks.push(Mark::Dot { at: (x + 25.0, y), radius: 4.5, colour, filled: !dashed });
            marks.push(text((x + 60.0, y + 6.0), name, 17.0, Anchor::Start));
        }
    }

    /// The values of the parameter at their points, the first one with its name.
    fn parameters(&self, places: &[(f32, f32)], marks: &mut Vec<Mark>) {
        let Some(name) = &self.parameter else { return };
        let valued = self.points.iter().zip(places).filter_map(|(point, at)| Some((point.parameter?, at)));
        let mut taken: Vec<(f32, f32, f32)> = Vec::new();
        for (number, (value, (x, y))) in valued.enumerate() {
            let (label, anchor) = match number {
                0 => (format!("{name} = {value:.2}"), Anchor::Start),
                _ => (format!("{value:.2}"), Anchor::Middle),
            };
            let width = label.chars().count() as f32 * LABEL * 0.6;
            let left = if anchor == Anchor::Start { *x } else { x - width / 2.0 };
            // As far above its point as it takes to be clear of the labels before it.
            let clear = |y: f32| {
                !taken
                    .iter()
                    .any(|(from, to, at)| left < *to && *from < left + width && (at - y).abs() < LABEL)
            };
            let lines = [0.0, 1.0, 2.0, 3.0].map(|line| y - 12.0 - LABEL * 1.2 * line);
            let y = lines.into_iter().find(|y| clear(*y)).unwrap_or(lines[0]);
            taken.push((left, left + width, y));
            marks.push(text((*x, y), &label, LABEL, anchor));
        }
    }

    /// Lowest and highest cost in cents of all points.
    #[must_use]
    pub fn cost_range(&self) -> Option<(i64, i64)> {
        let costs = || self.points.iter().map(|point: &ChartPoint| point.cost);
        Some((costs().min()?, costs().max()?))
    }
}

/// The axes with their scales.
struct Axes {
    iterations: Scale,
    dollars: Scale,
}

impl Axes {
    fn of(data: &ChartData) -> Self {
        let (low, high) = data.cost_range().unwrap_or_default();
        let iterations = || data.points.iter().map(|point| point.iteration);
        let (first, last) = (iterations().min().unwrap_or(0), iterations().max().unwrap_or(0));
        Self {
            iterations: Scale::whole(f64::from(first), f64::from(last.max(first + 1))),
            dollars: Scale::around(low as f64 / 100.0, high as f64 / 100.0),
        }
    }

    fn x(&self, iteration: f64) -> f32 {
        // Dots at the ends stay clear of the frame.
        let (left, right) = (PLOT.0 + 24.0, PLOT.2 - 24.0);
        left + (right - left) * self.iterations.share(iteration)
    }

    fn y(&self, dollars: f64) -> f32 {
        PLOT.3 - (PLOT.3 - PLOT.1) * self.dollars.share(dollars)
    }

    fn place(&self, iteration: u32, cents: i64) -> (f32, f32) {
        (self.x(f64::from(iteration)), self.y(cents as f64 / 100.0))
    }

    fn draw(&self, marks: &mut Vec<Mark>) {
        let (left, top, right, bottom) = PLOT;
        let straight =
            |points: Vec<(f32, f32)>, colour| Mark::Line { points, colour, width: 1.0, dashed: false };
        for value in self.dollars.ticks() {
            let y = self.y(value);
            marks.push(straight(vec![(left, y), (right, y)], PALE));
            let cents = Cents((value * 100.0).round() as i64).to_string();
            let label = if self.dollars.is_coarse() { cents.trim_end_matches(".00") } else { &cents };
            marks.push(text((left - 12.0, y + 5.0), label, 15.0, Anchor::End));
        }
        for value in self.iterations.ticks() {
            let x = self.x(value);
            marks.push(straight(vec![(x, bottom), (x, bottom + 6.0)], BLACK));
            marks.push(text((x, bottom + 25.0), &format!("{value:.0}"), 15.0, Anchor::Middle));
        }
        let frame = vec![(left, top), (left, bottom), (right, bottom)];
        marks.push(straight(frame, BLACK));
        marks.push(text(((left + right) / 2.0, HEIGHT - 20.0), "Iteration", 18.0, Anchor::Middle));
        let at = (32.0, (top + bottom) / 2.0);
        let (size, anchor, colour) = (18.0, Anchor::Middle, BLACK);
        marks.push(Mark::Text { at, text: "Cost ($)".to_owned(), size, anchor, colour, upwards: true });
    }
}

fn text(at: (f32, f32), text: &str, size: f32, anchor: Anchor) -> Mark {
    Mark::Text { at, text: text.to_owned(), size, anchor, colour: BLACK, upwards: false }
}

#[cfg(test)]
mod tests {
    use tiny_skia::{Pixmap, PremultipliedColorU8};

    use super::*;
    use crate::experiment::policies::FRACTION;

    fn game() -> ChartData {
        let point = |iteration, cost, accepted, parameter| ChartPoint {
            iteration,
            cost,
            accepted,
            parameter: Some(parameter),
            old_cost: None,
        };
        ChartData {
            run_id: "two-period".to_owned(),
            agent: Some("A & B <1>".to_owned()),
            parameter: Some(FRACTION.to_owned()),
            points: vec![
                point(0, 5_000, true, 0.5),
                point(1, 2_500, true, 0.25),
                point(2, 4_000, false, 0.4),
                point(3, 2_000, true, 0.2),
            ],
        }
    }

    fn pixels(data: &ChartData) -> Option<Pixmap> {
        Pixmap::decode_png(&data.png().ok()?).ok()
    }

    fn is_dark(pixel: &PremultipliedColorU8) -> bool {
        u32::from(pixel.red()) + u32::from(pixel.green()) + u32::from(pixel.blue()) < 300
    }

    /// Dark pixels of a rectangle in units of the picture.
    fn dark(pixels: &Pixmap, (left, top, right, bottom): (u32, u32, u32, u32)) -> usize {
        let inside = |at: u32| {
            let (x, y) = (at % pixels.width() / 2, at / pixels.width() / 2);
            (left..right).contains(&x) && (top..bottom).contains(&y)
        };
        (0_u32..).zip(pixels.pixels()).filter(|(at, pixel)| inside(*at) && is_dark(pixel)).count()
    }

    #[test]
    fn letters_of_a_png_are_drawn_with_the_font_of_the_program() {
        let Some(drawn) = pixels(&game()) else { unreachable!("a PNG that reads back") };
        assert_eq!((drawn.width(), drawn.height()), (2400, 1440));
        let title = (200, 20, 1000, 50);
        assert!(dark(&drawn, title) > 1_000, "{}", dark(&drawn, title));
        let nameless = ChartData { run_id: String::new(), agent: None, ..game() };
        let Some(without) = pixels(&nameless) else { unreachable!("a PNG that reads back") };
        assert!(dark(&without, title) < dark(&drawn, title), "a shorter title has fewer pixels");
        assert!(dark(&drawn, (15, 250, 45, 480)) > 300, "the title of the axis of costs");
    }

    #[test]
    fn svg_names_everything_and_escapes_it() {
        let svg = game().svg();
        for words in [
            "Cost Convergence - two-period (A &amp; B &lt;1&gt;)",
            "All Policies",
            "Accepted Policies",
            ">Iteration<",
            ">Cost ($)<",
            "initial_liquidity_fraction = 0.50",
            ">0.25<",
            "stroke-dasharray",
        ] {
            assert!(svg.contains(words), "`{words}` is missing in\n{svg}");
        }
        assert_eq!(svg.matches("<circle").count(), 4 + 2, "a dot for each point and each series");
    }

    #[test]
    fn the_accepted_line_stays_where_a_proposal_was_rejected() {
        let marks = game().marks();
        let lines = marks.iter().filter_map(|mark| match mark {
            Mark::Line { points, colour: BLUE, .. } if points.len() == 4 => Some(points),
            _ => None,
        });
        let heights: Vec<Vec<f32>> = lines.map(|line| line.iter().map(|(_, y)| *y).collect()).collect();
        assert_eq!(heights.len(), 1);
        let [start, second, rejected, last] = heights[0][..] else { unreachable!("four points") };
        assert!(start < second && last > rejected, "lower costs stand lower: {heights:?}");
        assert!((second - rejected).abs() < 0.01, "{heights:?}");
    }
}

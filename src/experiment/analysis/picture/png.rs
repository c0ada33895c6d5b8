//! The picture as PNG, drawn with the font of the program, whatever the system has.

use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Stroke, StrokeDash, Transform,
};
use ttf_parser::{Face, OutlineBuilder};

use super::{Anchor, Colour, HEIGHT, Mark, PictureError, WIDTH};

/// DejaVu Sans with Latin, Greek, Cyrillic and punctuation.
const FONT: &[u8] = include_bytes!("../../../../assets/fonts/DejaVuSans.ttf");

/// Pixels of a unit.
const SCALE: f32 = 2.0;

/// The whole file.
pub fn file(marks: &[Mark]) -> Result<Vec<u8>, PictureError> {
    let failed = |why: &str| PictureError(why.to_owned());
    let face = Face::parse(FONT, 0).map_err(|error| PictureError(error.to_string()))?;
    let mut pixels = Pixmap::new((WIDTH * SCALE) as u32, (HEIGHT * SCALE) as u32)
        .ok_or_else(|| failed("there is no memory for it"))?;
    pixels.fill(Color::WHITE);
    for mark in marks {
        draw(mark, &face, &mut pixels);
    }
    pixels.encode_png().map_err(|error| PictureError(error.to_string()))
}

fn draw(mark: &Mark, face: &Face<'_>, pixels: &mut Pixmap) {
    let scale = Transform::from_scale(SCALE, SCALE);
    match mark {
        Mark::Line { points, colour, width, dashed } => {
            let Some(path) = polyline(points) else { return };
            let dash = dashed.then(|| StrokeDash::new(vec![8.0, 5.0], 0.0)).flatten();
            let (line_cap, line_join) = (LineCap::Butt, LineJoin::Round);
            let stroke = Stroke { width: *width, dash, line_cap, line_join, ..Stroke::default() };
            pixels.stroke_path(&path, &paint(*colour), &stroke, scale, None);
        }
        Mark::Dot { at: (x, y), radius, colour, filled } => {
            let Some(path) = PathBuilder::from_circle(*x, *y, *radius) else { return };
            let inside = if *filled { *colour } else { (255, 255, 255) };
            pixels.fill_path(&path, &paint(inside), FillRule::Winding, scale, None);
            let stroke = Stroke { width: 1.5, ..Stroke::default() };
            pixels.stroke_path(&path, &paint(*colour), &stroke, scale, None);
        }
        Mark::Text { at: (x, y), text, size, anchor, colour, upwards } => {
            let unit = size / f32::from(face.units_per_em());
            let (path, width) = outlines(text, face);
            let Some(path) = path else { return };
            let back = match anchor {
                Anchor::Start => 0.0,
                Anchor::Middle => width / 2.0,
                Anchor::End => width,
            };
            let turned = if *upwards { Transform::from_rotate(-90.0) } else { Transform::identity() };
            // Glyphs stand on their base line and grow upwards.
            let placed = Transform::from_translate(-back, 0.0)
                .post_scale(unit, -unit)
                .post_concat(turned)
                .post_translate(*x, *y)
                .post_concat(scale);
            pixels.fill_path(&path, &paint(*colour), FillRule::Winding, placed, None);
        }
    }
}

fn paint((red, green, blue): Colour) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color_rgba8(red, green, blue, 255);
    paint
}

fn polyline(points: &[(f32, f32)]) -> Option<Path> {
    let (&(x, y), rest) = points.split_first()?;
    let mut path = PathBuilder::new();
    path.move_to(x, y);
    rest.iter().for_each(|&(x, y)| path.line_to(x, y));
    path.finish()
}

/// The glyphs of a text side by side in units of the font, and how wide they are together.
fn outlines(text: &str, face: &Face<'_>) -> (Option<Path>, f32) {
    let mut pen = Pen { path: PathBuilder::new(), x: 0.0 };
    for letter in text.chars() {
        // A letter that the font lacks is drawn as its box.
        let glyph = face.glyph_index(letter).unwrap_or_default();
        face.outline_glyph(glyph, &mut pen);
        pen.x += f32::from(face.glyph_hor_advance(glyph).unwrap_or(0));
    }
    (pen.path.finish(), pen.x)
}

struct Pen {
    path: PathBuilder,
    x: f32,
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.path.move_to(self.x + x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.path.line_to(self.x + x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.path.quad_to(self.x + x1, y1, self.x + x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.path.cubic_to(self.x + x1, y1, self.x + x2, y2, self.x + x, y);
    }

    fn close(&mut self) {
        self.path.close();
    }
}

//! Colours that a tenant chooses, and whether text in them can be read (WCAG 2.1, AA).

use std::fmt;
use std::str::FromStr;

use color::{Oklch, OpaqueColor, Srgb};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The contrast that text needs.
const AA: f32 = 4.5;

/// How much of the accent is in the ground of notes.
const IN_NOTE: f32 = 0.07;

/// Steps of lightness from a colour to black or white.
const STEPS: u16 = 200;

/// A colour, `#1f6feb`: red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Color([u8; 3]);

/// What the reader's device asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appearance {
    /// Dark text on a light ground.
    Light,
    /// Light text on a dark ground.
    Dark,
}

impl Color {
    const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self([red, green, blue])
    }

    fn srgb(self) -> OpaqueColor<Srgb> {
        let [red, green, blue] = self.0;
        OpaqueColor::from_rgb8(red, green, blue)
    }

    /// The nearest that a screen shows.
    fn shown(color: OpaqueColor<Srgb>) -> Self {
        let color = color.to_rgba8();
        Self([color.r, color.g, color.b])
    }

    /// From 1 to 21.
    fn contrast(self, other: Self) -> f32 {
        let [one, other] = [self.srgb().relative_luminance(), other.srgb().relative_luminance()];
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    fn mixed(self, other: Self, share: f32) -> Self {
        Self::shown(self.srgb().lerp_rect(other.srgb(), share))
    }

    /// The same hue, lighter or darker, as near to this colour as `fits` allows.
    fn nearest(self, appearance: Appearance, fits: impl Fn(Self) -> bool) -> Self {
        let start: OpaqueColor<Oklch> = self.srgb().convert();
        let end = match appearance {
            Appearance::Light => 0.0,
            Appearance::Dark => 1.0,
        };
        let at = |step: u16| {
            let share = f32::from(step) / f32::from(STEPS);
            Self::shown(start.map_lightness(|lightness| lightness + (end - lightness) * share).convert())
        };
        (0..=STEPS).map(at).find(|color| fits(*color)).unwrap_or(appearance.text())
    }
}

impl Appearance {
    /// `--color-card`.
    fn card(self) -> Color {
        match self {
            Self::Light => Color::new(0xff, 0xff, 0xff),
            Self::Dark => Color::new(0x19, 0x1c, 0x24),
        }
    }

    /// `--color-text`.
    fn text(self) -> Color {
        match self {
            Self::Light => Color::new(0x18, 0x1b, 0x22),
            Self::Dark => Color::new(0xee, 0xf0, 0xf5),
        }
    }

    /// `--color-quiet`.
    fn quiet(self) -> Color {
        match self {
            Self::Light => Color::new(0x56, 0x5d, 0x6b),
            Self::Dark => Color::new(0xa6, 0xad, 0xbb),
        }
    }

    /// The ground of notes.
    fn note(self, accent: Color) -> Color {
        self.card().mixed(accent, IN_NOTE)
    }

    /// Whether links of this colour can be read on a page and in its notes.
    fn can_be_accent(self, accent: Color) -> bool {
        [self.card(), self.note(accent)].into_iter().all(|ground| accent.contrast(ground) >= AA)
    }

    /// Whether text in this colour can be read.
    ///
    /// # Errors
    ///
    /// Where it cannot be read: the nearest one that can.
    pub fn check_accent(self, accent: Color) -> Result<(), Color> {
        if self.can_be_accent(accent) { Ok(()) } else { Err(self.nearest_accent(accent)) }
    }

    /// The nearest colour to this one that can be read.
    pub fn nearest_accent(self, accent: Color) -> Color {
        accent.nearest(self, |color| self.can_be_accent(color))
    }

    /// The tokens that follow from an accent.
    pub fn accent_tokens(self, accent: Color) -> String {
        let on_accent = readable(accent, Color::new(0xff, 0xff, 0xff));
        let strong = accent.mixed(self.text(), 0.2);
        let note = self.note(accent);
        format!(
            "--color-accent:{accent};--color-accent-strong:{strong};--color-on-accent:{on_accent};--color-note:{note};"
        )
    }

    /// The tokens that follow from the ground of the page. Every ground has a colour of text that can be read on it.
    pub fn ground_tokens(self, ground: Color) -> String {
        format!("--color-ground:{ground};--color-quiet-on-ground:{};", readable(ground, self.quiet()))
    }
}

/// The preferred colour of text on a ground, else black or white: one of the two always has a contrast of 4.5.
fn readable(ground: Color, preferred: Color) -> Color {
    let [black, white] = [Color::new(0, 0, 0), Color::new(0xff, 0xff, 0xff)];
    let strongest = if ground.contrast(black) > ground.contrast(white) { black } else { white };
    if ground.contrast(preferred) >= AA { preferred } else { strongest }
}

impl FromStr for Color {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = text.strip_prefix('#').ok_or(())?;
        if digits.len() != 6 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(());
        }
        let number = u32::from_str_radix(digits, 16).map_err(|_| ())?;
        let [_, red, green, blue] = number.to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl Serialize for Color {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Color {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|()| serde::de::Error::custom("a colour is written #rrggbb"))
    }
}

impl Color {
    /// The colour of a letter on this one: white, where it can be read.
    pub fn of_letter(self) -> Self {
        let white = Self::new(0xff, 0xff, 0xff);
        // Large and bold.
        if self.contrast(white) >= 3.0 { white } else { Self::new(0x18, 0x1b, 0x22) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn color(text: &str) -> Color {
        text.parse().unwrap()
    }

    const EVERY: [&str; 12] = [
        "#000000", "#ffffff", "#ff0000", "#00ff00", "#0000ff", "#ffff00", "#808080", "#f5a623", "#1f6feb",
        "#e01e5a", "#123456", "#abcdef",
    ];

    #[test]
    fn a_colour_is_six_digits_and_no_css() {
        for text in
            ["", "red", "#fff", "#fffffff", "fffffff", "#ggg000", "#12345", "#1234567", "#12 456", "#+12345"]
        {
            assert!(text.parse::<Color>().is_err(), "{text}");
        }
        assert!("#fff;}body{".parse::<Color>().is_err());
        assert_eq!(color("#0AbC09").to_string(), "#0abc09");
    }

    #[test]
    fn the_contrast_is_that_of_the_standard() {
        let contrast = |one, other| color(one).contrast(color(other));
        assert!((contrast("#000000", "#ffffff") - 21.0).abs() < 0.01);
        assert!((contrast("#777777", "#ffffff") - 4.48).abs() < 0.01, "the well-known grey that just fails");
        assert!((contrast("#767676", "#ffffff") - 4.54).abs() < 0.01, "and the one that passes");
    }

    #[test]
    fn what_cannot_be_read_has_a_nearest_colour_that_can() {
        for appearance in [Appearance::Light, Appearance::Dark] {
            for text in EVERY {
                let given = color(text);
                match appearance.check_accent(given) {
                    Ok(()) => assert_eq!(appearance.nearest_accent(given), given),
                    Err(nearest) => {
                        assert_eq!(appearance.check_accent(nearest), Ok(()), "{text}: {nearest}");
                        // It is the nearest: half-way to it nothing passes.
                        let half = given.mixed(nearest, 0.5);
                        assert!(appearance.check_accent(half).is_err(), "{text}: {half} before {nearest}");
                    }
                }
            }
        }
        assert_eq!(Appearance::Light.check_accent(color("#1a56db")), Ok(()));
        assert!(Appearance::Light.check_accent(color("#f5a623")).is_err());
    }

    /// Hue and strength stay what they were, as far as the screen can show them.
    #[test]
    fn the_nearest_colour_is_of_the_same_hue() {
        let [red, green, blue] = Appearance::Light.nearest_accent(color("#4aa3ff")).0;
        assert!(blue > green && green > red, "{red} {green} {blue}");
    }

    #[test]
    fn text_on_every_ground_can_be_read() {
        for appearance in [Appearance::Light, Appearance::Dark] {
            for ground in EVERY.map(color) {
                assert!(ground.contrast(readable(ground, appearance.quiet())) >= AA, "{ground}");
                let note = appearance.note(appearance.nearest_accent(ground));
                assert!(
                    note.contrast(appearance.text()) >= AA && note.contrast(appearance.quiet()) >= AA,
                    "{ground}"
                );
            }
        }
    }

    #[test]
    fn cards_and_texts_are_those_of_the_tokens() {
        let tokens = include_str!("tokens.css");
        let (light, dark) = tokens.split_once("prefers-color-scheme").unwrap();
        for (appearance, tokens) in [(Appearance::Light, light), (Appearance::Dark, dark)] {
            for (name, value) in
                [("card", appearance.card()), ("text", appearance.text()), ("quiet", appearance.quiet())]
            {
                assert!(tokens.contains(&format!("--color-{name}: {value};")), "{name} {value}");
            }
        }
    }

    /// The tokens themselves are held to what tenants are held to.
    #[test]
    fn the_tokens_can_be_read() {
        let tokens = include_str!("tokens.css");
        let (light, dark) = tokens.split_once("prefers-color-scheme").unwrap();
        for tokens in [light, dark] {
            let token = |name: &str| {
                let (_, rest) = tokens.split_once(&format!("--color-{name}: ")).unwrap();
                color(rest.split(';').next().unwrap())
            };
            for ground in ["card", "ground", "note", "good-ground", "warn-ground", "bad-ground"] {
                for text in ["text", "quiet", "accent"] {
                    let is_used = text != "accent" || ["card", "ground", "note"].contains(&ground);
                    let contrast = token(text).contrast(token(ground));
                    assert!(!is_used || contrast >= AA, "{text} on {ground}: {contrast}");
                }
            }
            for (text, ground) in [
                ("on-accent", "accent"),
                ("on-accent", "accent-strong"),
                ("good", "good-ground"),
                ("warn", "warn-ground"),
                ("bad", "bad-ground"),
                ("bad", "card"),
                ("card", "bad"),
                ("quiet-on-ground", "ground"),
            ] {
                assert!(token(text).contrast(token(ground)) >= AA, "{text} on {ground}");
            }
            assert!(token("edge").contrast(token("card")) >= 3.0);
        }
    }
}

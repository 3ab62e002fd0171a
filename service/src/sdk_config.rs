//! How a tenant's hosted page looks: colours, corners, a line and links of the tenant's, languages.
//!
//! It never stands in the place of the tenant's registered name, the account, the provider and the sentence about whose
//! account it is: those are not part of it.

use serde::{Deserialize, Serialize};

use crate::catalogue::FieldError;
use crate::error::ApiError;
use crate::extract::body::Body;
use crate::extract::web_address;
use crate::language::{Language, Message};
use crate::theme::{Appearance, Color};

/// Characters of a line of the tenant's.
const MAX_TAGLINE: usize = 200;
const MAX_LABEL: usize = 60;
const MAX_LINKS: usize = 4;
/// Pixels.
const MAX_RADIUS: u64 = 24;

/// What may be set. The others are what `GET` tells beside it, so that its response can be sent back.
const MEMBERS: [&str; 10] = [
    "accent_color",
    "accent_color_dark",
    "background_color",
    "background_color_dark",
    "corner_radius",
    "tagline",
    "links",
    "languages",
    "logo",
    "updated_at",
];

/// A tenant's settings. What is absent is as by default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SdkConfig {
    /// Buttons, links and focus, in light.
    pub accent_color: Option<Color>,
    /// The same in dark; where absent, the nearest to [`accent_color`](Self::accent_color) that can be read.
    pub accent_color_dark: Option<Color>,
    /// Around the card, in light.
    pub background_color: Option<Color>,
    /// The same in dark.
    pub background_color_dark: Option<Color>,
    /// In pixels.
    pub corner_radius: Option<u8>,
    /// A line under the page.
    pub tagline: Option<String>,
    /// Links under the page.
    pub links: Vec<PageLink>,
    /// The languages that are offered, the usual one first; all where empty.
    pub languages: Vec<String>,
}

/// A link under the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageLink {
    /// The words on it.
    pub label: String,
    /// An https address.
    pub url: String,
}

impl SdkConfig {
    /// Reads a body, every member of which is checked.
    ///
    /// # Errors
    ///
    /// When a member breaks the contract, or a colour cannot be read: then the error names the nearest one that can.
    pub(crate) fn read(body: Body) -> Result<Self, ApiError> {
        body.only(&MEMBERS)?;
        let body = body.without_nulls();
        let color = |name| {
            let text = body.text(name, "a color such as #196ae6", |text| text.parse::<Color>().is_ok())?;
            Ok::<_, ApiError>(text.and_then(|text| text.parse().ok()))
        };
        let radius = body.number("corner_radius", 0, MAX_RADIUS)?;
        let is_language = |text: &str| Language::all().any(|language| language.tag() == text);
        let tags: Vec<_> = Language::all().map(Language::tag).collect();
        let config = Self {
            accent_color: color("accent_color")?,
            accent_color_dark: color("accent_color_dark")?,
            background_color: color("background_color")?,
            background_color_dark: color("background_color_dark")?,
            corner_radius: radius.and_then(|radius| u8::try_from(radius).ok()),
            tagline: body.line("tagline", MAX_TAGLINE)?,
            links: links(&body)?,
            languages: body
                .texts("languages", tags.len(), &format!("one of {}", tags.join(", ")), is_language)?
                .unwrap_or_default(),
        };
        config.check_colors()?;
        Ok(config)
    }

    fn check_colors(&self) -> Result<(), ApiError> {
        let accents = [
            ("accent_color", self.accent_color, Appearance::Light),
            ("accent_color_dark", self.accent_color_dark, Appearance::Dark),
        ];
        let errors: Vec<_> = accents
            .into_iter()
            .filter_map(|(field, color, appearance)| {
                let nearest = appearance.check_accent(color?).err()?;
                let message = format!(
                    "Text in this color cannot be read: its contrast is below 4.5 (WCAG AA). The nearest that passes is \
                     {nearest}."
                );
                Some(FieldError { field: field.to_owned(), message: Message::verbatim(message) })
            })
            .collect();
        if errors.is_empty() { Ok(()) } else { Err(ApiError::InvalidMembers(errors)) }
    }

    /// The tokens that it changes, as CSS. Nothing of it is text of the tenant's.
    pub fn style(&self) -> String {
        let tokens = |appearance: Appearance, accent: Option<Color>, ground: Option<Color>| {
            let accent = accent.map(|color| appearance.accent_tokens(color)).unwrap_or_default();
            let ground = ground.map(|color| appearance.ground_tokens(color)).unwrap_or_default();
            format!("{accent}{ground}")
        };
        let radius = self.corner_radius.map(|pixels| format!("--radius:{pixels}px;")).unwrap_or_default();
        let accent_dark = self
            .accent_color_dark
            .or_else(|| self.accent_color.map(|color| Appearance::Dark.nearest_accent(color)));
        let rule = |media: &str, tokens: &str| match (media, tokens) {
            (_, "") => String::new(),
            ("", tokens) => format!(":root{{{tokens}}}"),
            (media, tokens) => format!("@media (prefers-color-scheme:{media}){{:root{{{tokens}}}}}"),
        };
        let light = tokens(Appearance::Light, self.accent_color, self.background_color);
        let dark = tokens(Appearance::Dark, accent_dark, self.background_color_dark);
        [rule("", &radius), rule("light", &light), rule("dark", &dark)].concat()
    }

    /// The languages that are offered, the usual one first.
    pub fn offered(&self) -> Vec<Language> {
        let named: Vec<_> = self.languages.iter().filter_map(|tag| Language::of_tag(tag)).collect();
        if named.is_empty() { Language::all().collect() } else { named }
    }
}

fn links(body: &Body) -> Result<Vec<PageLink>, ApiError> {
    let links = body.objects("links", MAX_LINKS)?.unwrap_or_default();
    let link = |link: &Body| {
        link.only(&["label", "url"])?;
        let url = link.text("url", "an https address", |url| web_address::website_url(url).is_ok())?;
        let label = link.line("label", MAX_LABEL)?;
        match (label, url) {
            (Some(label), Some(url)) => Ok(PageLink { label, url: url.to_owned() }),
            (None, _) => Err(ApiError::invalid("label is missing")),
            (_, None) => Err(ApiError::invalid("url is missing")),
        }
    };
    let within = |error| match error {
        ApiError::InvalidRequest(message) => ApiError::InvalidRequest(format!("links: {message}")),
        error => error,
    };
    links.iter().map(|each| link(each).map_err(within)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(body: Value) -> Result<SdkConfig, ApiError> {
        let Value::Object(members) = body else { panic!("no object") };
        SdkConfig::read(Body::of(members))
    }

    #[test]
    fn what_is_set_is_what_is_written_over_the_tokens() {
        let config =
            read(json!({"accent_color": "#0B6BCB", "corner_radius": 4, "background_color_dark": "#000000"}));
        let style = config.unwrap().style();
        assert!(style.starts_with(
            ":root{--radius:4px;}@media (prefers-color-scheme:light){:root{--color-accent:#0b6bcb;"
        ));
        let (light, dark) = style.split_once("(prefers-color-scheme:dark)").unwrap();
        assert!(!light.contains("--color-ground"), "{style}");
        assert!(dark.contains("--color-ground:#000000;") && dark.contains("--color-accent:#"), "{style}");
        assert_eq!(SdkConfig::default().style(), "");
    }

    #[test]
    fn a_colour_that_cannot_be_read_is_refused_with_one_that_can() {
        let error = read(json!({"accent_color": "#ffd000", "accent_color_dark": "#101010"})).unwrap_err();
        let ApiError::InvalidMembers(errors) = error else { panic!("{error}") };
        assert_eq!(errors.len(), 2);
        for (error, member) in errors.iter().zip(["accent_color", "accent_color_dark"]) {
            let message = error.message.to_string();
            let nearest = message.split("passes is ").nth(1).unwrap().trim_end_matches('.');
            assert_eq!(error.field, member);
            assert!(read(json!({ member: nearest })).is_ok(), "{message}");
        }
    }

    #[test]
    fn what_get_tells_can_be_put() {
        let body = json!({
            "accent_color": "#0b6bcb", "accent_color_dark": null, "background_color": null,
            "background_color_dark": null, "corner_radius": null, "tagline": null,
            "links": [{"label": "Privacy", "url": "https://acme.example/privacy"}],
            "languages": ["de", "en"], "logo": {"url": "x", "width": 1, "height": 1}, "updated_at": "x",
        });
        let config = read(body).unwrap();
        let again = serde_json::to_value(&config).unwrap();
        assert_eq!(read(again).unwrap(), config);
        assert_eq!(config.offered().iter().map(|language| language.tag()).collect::<Vec<_>>(), ["de", "en"]);
    }

    #[test]
    fn everything_else_is_refused() {
        for body in [
            json!({"acent_color": "#000000"}),
            json!({"accent_color": "black"}),
            json!({"accent_color": "#000;}*{"}),
            json!({"accent_color": 0}),
            json!({"corner_radius": 25}),
            json!({"corner_radius": -1}),
            json!({"tagline": ""}),
            json!({"tagline": "x".repeat(201)}),
            json!({"tagline": "two\nlines"}),
            json!({"tagline": "\u{202e}turned"}),
            json!({"links": {}}),
            json!({"links": [{"label": "x"}]}),
            json!({"links": [{"url": "https://acme.example"}]}),
            json!({"links": [{"label": "x", "url": "http://acme.example"}]}),
            json!({"links": [{"label": "x", "url": "javascript:alert(1)"}]}),
            json!({"links": [{"label": "x", "url": "https://user@acme.example/"}]}),
            json!({"links": [{"label": "x", "url": "https://acme.example", "target": "_top"}]}),
            json!({"links": vec![json!({"label": "x", "url": "https://acme.example"}); 5]}),
            json!({"languages": ["xx"]}),
            json!({"languages": "en"}),
        ] {
            assert!(read(body.clone()).is_err(), "{body}");
        }
    }
}

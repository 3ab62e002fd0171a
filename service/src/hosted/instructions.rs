//! What a product tells those who register an OAuth client: CommonMark, of which nothing but text, lists, headings, code and
//! links to `https` addresses comes onto the page. HTML is shown as the text that it is, and pictures as their descriptions:
//! the page asks for a secret, and loads nothing.

use askama::filters::{Escaper, Html};
use pulldown_cmark::{CowStr, Event, HeadingLevel, Parser, Tag, TagEnd, html};
use url::Url;

/// HTML that can stand in a page as it is.
pub(crate) fn render(instructions: &str) -> String {
    let mut links = Vec::new();
    let events = Parser::new(instructions).filter_map(|event| safe(event, &mut links));
    let mut page = String::new();
    html::push_html(&mut page, events);
    page
}

/// `links` are those that are open, and whether each is one on the page.
fn safe<'a>(event: Event<'a>, links: &mut Vec<bool>) -> Option<Event<'a>> {
    Some(match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
        Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => return None,
        Event::Start(Tag::Link { dest_url, .. }) => {
            let opening = anchor(&dest_url);
            links.push(opening.is_some());
            Event::InlineHtml(opening?)
        }
        Event::End(TagEnd::Link) => {
            if !links.pop().unwrap_or_default() {
                return None;
            }
            Event::InlineHtml(CowStr::Borrowed("</a>"))
        }
        // The page has its own heading, and others would not look like its parts.
        Event::Start(Tag::Heading { .. }) => Event::Start(Tag::Heading {
            level: HeadingLevel::H3,
            id: None,
            classes: Vec::new(),
            attrs: Vec::new(),
        }),
        Event::End(TagEnd::Heading(_)) => Event::End(TagEnd::Heading(HeadingLevel::H3)),
        // What stands behind the first word may be anything.
        Event::Start(Tag::CodeBlock(_)) => {
            Event::Start(Tag::CodeBlock(pulldown_cmark::CodeBlockKind::Indented))
        }
        event => event,
    })
}

/// The beginning of a link to a public address.
fn anchor(address: &str) -> Option<CowStr<'static>> {
    let url = Url::parse(address).ok().filter(|url| url.scheme() == "https" && url.username().is_empty())?;
    let mut href = String::new();
    Html.write_escaped_str(&mut href, url.as_str()).ok()?;
    Some(format!("<a href=\"{href}\" target=\"_blank\" rel=\"noopener noreferrer\">").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_lists_code_and_https_links_come_onto_the_page() {
        let page =
            render("# Where\n1. Open [the portal](https://crm.example/apps?a=1&b=2 \"t\").\n2. Copy `id`.\n");
        let link = "<a href=\"https://crm.example/apps?a=1&#38;b=2\" target=\"_blank\" rel=\"noopener noreferrer\">the portal</a>";
        assert!(page.contains(link), "{page}");
        assert!(page.contains("<h3>Where</h3>") && page.contains("<ol>") && page.contains("<code>id</code>"));
    }

    #[test]
    fn nothing_else_does() {
        for text in [
            "<script>alert(1)</script>",
            "a <img src=x onerror=alert(1)> b",
            "<a href=\"javascript:alert(1)\">x</a>",
            "<div\nonclick=alert(1)>\n",
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt:alert(1))",
            "[x](data:text/html,<script>alert(1)</script>)",
            "[x](http://crm.example/)",
            "[x](//crm.example/)",
            "[x](/connect)",
            "[x](https://crm.example@evil.example/)",
            "[x](https://crm.example/\"onmouseover=\"alert(1))",
            "![x](https://evil.example/pixel.png)",
            "![<b>x</b>](https://evil.example/pixel.png \"<b>\")",
            "<javascript:alert(1)>",
            "<https://crm.example/\"onmouseover=\"alert(1)>",
            "```\"><script>\nx\n```",
            "# x {#id .class onclick=alert(1)}",
            "&lt;script&gt;alert(1)&lt;/script&gt;",
            "[x]: javascript:alert(1)\n\n[x]",
        ] {
            let page = render(text);
            let mut rest = page.as_str();
            while let Some((_, tag)) = rest.split_once('<') {
                let (tag, after) = tag.split_once('>').unwrap();
                let is_link = tag.starts_with("a href=\"https://crm.example/")
                    && tag.ends_with("\" target=\"_blank\" rel=\"noopener noreferrer\"")
                    && tag.matches('"').count() == 6;
                let plain = ["p", "h3", "pre", "code", "a", "ol", "li"];
                let is_plain = plain.contains(&tag.trim_start_matches('/'));
                assert!(is_link || is_plain, "{text}: {page}");
                rest = after;
            }
        }
    }

    #[test]
    fn what_is_left_out_leaves_its_text() {
        assert_eq!(render("[the portal](http://crm.example/)"), "<p>the portal</p>\n");
        assert_eq!(render("![a screenshot](https://x.example/s.png)"), "<p>a screenshot</p>\n");
        assert_eq!(render("<b>bold</b>"), "<p>&lt;b&gt;bold&lt;/b&gt;</p>\n");
    }
}

//! Classes and codes of errors.
//!
//! {{ generated }}

use super::{Code, ErrorDetails};

/// Why a call failed.
///
/// Match on the case; read the rest with [`status`](Error::status), [`code`](Error::code),
/// [`retry_after`](Error::retry_after) and so on. The text is safe to log: it never holds a key or a token.
#[derive(Clone)]
#[non_exhaustive]
pub enum Error {
{% for class in errors %}
{{ class.doc | comment(4, "///") }}
    {{ class.case }}(Box<ErrorDetails>),
{% endfor %}
}

/// The case of an [`Error`], without what it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
{% for class in errors %}
{{ class.doc | comment(4, "///") }}
    {{ class.case }},
{% endfor %}
}

impl Error {
    /// Which case this is.
    pub fn kind(&self) -> ErrorKind {
        match self {
{% for class in errors %}
            Self::{{ class.case }}(_) => ErrorKind::{{ class.case }},
{% endfor %}
        }
    }

    pub(crate) fn new(kind: ErrorKind, details: ErrorDetails) -> Self {
        let details = Box::new(details);
        match kind {
{% for class in errors %}
            ErrorKind::{{ class.case }} => Self::{{ class.case }}(details),
{% endfor %}
        }
    }

    pub(super) fn details(&self) -> &ErrorDetails {
        match self {
{% for class in errors %}
            Self::{{ class.case }}(details){{ " => details," if loop.last else " |" }}
{% endfor %}
        }
    }

    pub(super) fn details_mut(&mut self) -> &mut ErrorDetails {
        match self {
{% for class in errors %}
            Self::{{ class.case }}(details){{ " => details," if loop.last else " |" }}
{% endfor %}
        }
    }
}

impl ErrorKind {
    /// Every case, in the manifest's order.
    pub const ALL: &'static [Self] = &[
{% for class in errors %}
        Self::{{ class.case }},
{% endfor %}
    ];

    /// The name of the class in the languages that have classes, such as `NeedsReconnectionError`.
    pub fn class(self) -> &'static str {
        match self {
{% for class in errors %}
            Self::{{ class.case }} => "{{ class.class }}",
{% endfor %}
        }
    }

    /// The code of an error of this kind that no answer caused, where it can be only one. Not looked up in the table, so that what only asks
    /// for a link's status does not carry the texts of the tenant's API.
    pub(super) const fn local_code(self) -> Option<&'static str> {
        match self {
{% for class in errors %}
{% for code in class.codes if not code.status and class.codes | length == 1 %}
            Self::{{ class.case }} => Some("{{ code.code }}"),
{% endfor %}
{% endfor %}
            _ => None,
        }
    }
}

/// Every code that this version knows: the guide's seven (its section 12), the service's extensions, and the
/// SDK's own for errors that no answer caused.
#[rustfmt::skip]
pub const CODES: &[Code] = &[
{% for class in errors %}
{% for code in class.codes %}
    Code { code: "{{ code.code }}", status: {{ "Some(" ~ code.status ~ ")" if code.status else "None" }}, kind: ErrorKind::{{ class.case }}, base: {{ "true" if code.base else "false" }}, meaning: "{{ code.doc }}" },
{% endfor %}
{% endfor %}
];

//! What every language offers: methods, options and their defaults, as data. The languages' public surfaces are
//! checked against it.

use serde::Serialize;

/// A method of a client.
#[derive(Clone, Copy, Debug, Serialize)]
#[non_exhaustive]
pub struct Method {
    /// The guide's name, in camelCase; Python and Rust spell it in snake_case.
    pub name: &'static str,
    /// The arguments in order. `email` comes first where the call is about a customer's connections; a narrowed
    /// client leaves it out.
    pub arguments: &'static [&'static str],
    /// The options, named as in the guide.
    pub options: &'static [Setting],
    /// Whether the call can be iterated over all pages.
    pub pages: bool,
    /// Whether anything is sent. What sends nothing is done at once: it takes no call options and cannot be cancelled.
    pub sends: bool,
}

/// An option of a method, of every call, or of a client.
#[derive(Clone, Copy, Debug, Serialize)]
#[non_exhaustive]
pub struct Setting {
    /// The name, in camelCase. Names that end in `Ms` are milliseconds; Python takes seconds and drops the `Ms`.
    pub name: &'static str,
    /// What holds where it is not given, in words or as a value; `None` where it is required or simply absent.
    pub default: Option<&'static str>,
}

const fn setting(name: &'static str, default: &'static str) -> Setting {
    Setting {
        name,
        default: Some(default),
    }
}

const fn plain(name: &'static str) -> Setting {
    Setting { name, default: None }
}

/// The methods of the guide's section 7, the confirmation of a link with `confirm`, and the exchange of the key that
/// its section 3 asks for.
pub const METHODS: &[Method] = &[
    Method {
        name: "listApps",
        arguments: &[],
        options: &[plain("search"), plain("page"), plain("limit")],
        pages: true,
        sends: true,
    },
    Method {
        name: "getApp",
        arguments: &["appId"],
        options: &[],
        pages: false,
        sends: true,
    },
    Method {
        name: "createRequestLink",
        arguments: &["email"],
        options: &[
            plain("appId"),
            plain("name"),
            plain("connectionId"),
            plain("authOptionKey"),
            plain("allowedApps"),
            plain("returnUrl"),
            plain("allowedOrigin"),
            plain("displayName"),
            plain("expiresIn"),
            plain("allowMultipleConnections"),
            plain("scopes"),
            plain("confirm"),
            plain("idempotencyKey"),
        ],
        pages: false,
        sends: true,
    },
    Method {
        name: "getConnection",
        arguments: &["email", "id"],
        options: &[],
        pages: false,
        sends: true,
    },
    Method {
        name: "waitForConnection",
        arguments: &["email", "id"],
        options: &[
            setting("intervalMs", "2000"),
            setting("timeoutMs", "until the link expires"),
        ],
        pages: false,
        sends: true,
    },
    Method {
        name: "confirmConnection",
        arguments: &["email", "id", "code"],
        options: &[],
        pages: false,
        sends: true,
    },
    Method {
        name: "getToken",
        arguments: &["email", "id"],
        options: &[],
        pages: false,
        sends: true,
    },
    Method {
        name: "listConnections",
        arguments: &["email"],
        options: &[plain("appId"), plain("page"), plain("limit")],
        pages: true,
        sends: true,
    },
    Method {
        name: "deleteConnection",
        arguments: &["email", "id"],
        options: &[],
        pages: false,
        sends: true,
    },
    Method {
        name: "setApiKey",
        arguments: &["apiKey"],
        options: &[],
        pages: false,
        sends: false,
    },
];

/// The options that every call but a wait takes, beside the language's own way to cancel.
pub const CALL_OPTIONS: &[Setting] = &[
    setting("timeoutMs", "the client's"),
    setting("deadlineMs", "none"),
    setting("maxRetries", "the client's"),
];

/// The settings of a client.
pub const CLIENT_OPTIONS: &[Setting] = &[
    setting("apiKey", "PC_TENANT_KEY"),
    setting(
        "baseUrl",
        "PC_BASE_URL, else https://connect.pabbly.com/platform/v1",
    ),
    setting("maxRetries", "2"),
    setting("timeoutMs", "30000"),
    setting("backoffMs", "500"),
    setting("allowInsecureHttp", "false"),
    setting("proxy", "HTTPS_PROXY and the like"),
    plain("caCertificates"),
    plain("userAgent"),
    setting("requestsPerMinute", "120"),
];

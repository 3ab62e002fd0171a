//! The files of `service/catalogue/`, built into the binary.

macro_rules! files {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../catalogue/", $name, ".toml")))),*]
    };
}

/// Name and text of every built-in app.
pub(super) const FILES: &[(&str, &str)] = files! {
    "activecampaign"
    "airtable"
    "asana"
    "bamboohr"
    "brevo"
    "calendly"
    "clio"
    "discord"
    "dropbox"
    "freshdesk"
    "github"
    "gitlab"
    "gmail"
    "gohighlevel"
    "google-calendar"
    "google-drive"
    "google-sheets"
    "hubspot"
    "insightly"
    "intercom"
    "jira"
    "klaviyo"
    "linear"
    "linkedin"
    "mailchimp"
    "mailgun"
    "microsoft-outlook"
    "monday-crm"
    "notion"
    "openai"
    "pipedrive"
    "quickbooks"
    "salesforce"
    "sendgrid"
    "shopify"
    "slack"
    "stripe"
    "trello"
    "twilio"
    "typeform"
    "xero"
    "zendesk"
    "zoho-crm"
    "zoom"
};

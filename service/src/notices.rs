//! What the owners of a tenant are told by mail: new keys and changes of members, which somebody who got into an
//! account would make.

use crate::mail::{Mail, send_later};
use crate::state::Service;
use crate::store::{Capability, Member, Role, Store, StoreError};

/// A change that owners are told of.
#[derive(Debug, Clone, Copy)]
pub enum Change<'a> {
    /// A key was made.
    KeyCreated {
        /// What people call it.
        name: Option<&'a str>,
        /// What it opens.
        capabilities: &'a [Capability],
    },
    /// The key with this id got a successor.
    KeyRotated(&'a str),
    /// An account became a member. It is invited by a mail of its own.
    MemberAdded(&'a str, Role),
    /// A member got another role.
    MemberChanged(&'a str, Role),
    /// A member was removed.
    MemberRemoved(&'a str),
    /// An account became a member again, and was invited lately.
    MemberAddedAgain(&'a str, Role),
}

impl<'a> Change<'a> {
    /// The member that it is about.
    fn member(self) -> Option<&'a str> {
        match self {
            Self::KeyCreated { .. } | Self::KeyRotated(_) => None,
            Self::MemberAdded(email, _)
            | Self::MemberAddedAgain(email, _)
            | Self::MemberChanged(email, _)
            | Self::MemberRemoved(email) => Some(email),
        }
    }
}

/// The mails about a change, for the owners and for the member that it is about. `before` are the members from before
/// it, so that an owner from whom the role is taken hears of it. Whoever is no owner and has never signed in gets an
/// invitation, and no other mail.
///
/// # Errors
///
/// When the database fails.
pub async fn mails(
    store: &Store,
    dashboard_url: &str,
    tenant: &str,
    before: &[Member],
    change: Change<'_>,
    by: &str,
) -> Result<Vec<Mail>, StoreError> {
    let name = store.tenant_name(tenant).await?.unwrap_or_default();
    let (subject, text) = describe(change, by);
    let text = format!(
        "{text}\n\nThis mail goes to all owners of {name}, and to the member whom a change is about. If you do not \
         expect this change, look at:\n\n{dashboard_url}/tenants/{tenant}\n\n\
         If you see nothing there any more, ask another owner, or whoever runs the service.\n"
    );
    let is_told = |member: &&Member| {
        let is_about = change.member() == Some(&*member.email);
        member.role == Role::Owner || is_about && member.joined_at.is_some()
    };
    let subject = format!("{subject}: {name}");
    let mail =
        |member: &Member| Mail { to: member.email.clone(), subject: subject.clone(), text: text.clone() };
    let mut mails: Vec<_> = before.iter().filter(is_told).map(mail).collect();
    if let Change::MemberAdded(email, role) = change {
        mails.push(invitation(&name, dashboard_url, email, role));
    }
    Ok(mails)
}

/// Sends the mails about a change. What was done is done whether or not its owners can be told.
pub(crate) async fn tell(service: &Service, tenant: &str, before: &[Member], change: Change<'_>, by: &str) {
    if !service.mailer.is_configured() {
        return;
    }
    match mails(&service.store, &service.dashboard_url(), tenant, before, change, by).await {
        Ok(mails) => send_later(service, mails),
        Err(error) => tracing::warn!(%error, "owners are not told of a change"),
    }
}

fn describe(change: Change<'_>, by: &str) -> (&'static str, String) {
    match change {
        Change::KeyCreated { name, capabilities } => {
            let key =
                name.map_or_else(|| "A key without a name".to_owned(), |name| format!("The key \"{name}\""));
            let capabilities = capabilities.iter().map(|one| one.as_str()).collect::<Vec<_>>().join(", ");
            ("New API key", format!("{key} was made by {by}. It opens: {capabilities}."))
        }
        Change::KeyRotated(id) => {
            ("API key rotated", format!("The key {id} was rotated by {by}: its successor opens the same."))
        }
        Change::MemberAdded(email, role) | Change::MemberAddedAgain(email, role) => {
            ("New member", format!("{email} was made a member by {by}, in the role {}.", role.as_str()))
        }
        Change::MemberChanged(email, role) => {
            ("Role changed", format!("{email} was given the role {} by {by}.", role.as_str()))
        }
        Change::MemberRemoved(email) => {
            ("Member removed", format!("{email} was removed by {by}, and can see nothing of it any more."))
        }
    }
}

/// It holds no secret: whoever reads the mail of that address can sign in anyway. The subject is the service's own
/// words: it goes to somebody who may not know the tenant, whose name is anything.
fn invitation(name: &str, dashboard_url: &str, email: &str, role: Role) -> Mail {
    Mail {
        to: email.to_owned(),
        subject: "You are invited to Connect".to_owned(),
        text: format!(
            "You are a member of {name} on Connect now, in the role {}.\n\n\
             Sign in with this address, {email}, at:\n\n{dashboard_url}\n\n\
             If you do not know {name}, do nothing.\n",
            role.as_str()
        ),
    }
}

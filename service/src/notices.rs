//! What the owners of a tenant are told by mail: new keys and new members, which somebody who got into an account would
//! make.

use crate::mail::{Mail, send_later};
use crate::state::Service;
use crate::store::{Capability, Role, Store, StoreError};

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
}

/// The mails about a change, for the owners and, of a new member, for that one.
///
/// # Errors
///
/// When the database fails.
pub async fn mails(
    store: &Store,
    dashboard_url: &str,
    tenant: &str,
    change: Change<'_>,
    by: &str,
) -> Result<Vec<Mail>, StoreError> {
    let name = store.tenant_name(tenant).await?.unwrap_or_default();
    let (subject, text) = describe(change, by);
    let text = format!(
        "{text}\n\nThis mail goes to all owners of {name}. If you do not expect this change, look at:\n\n\
         {dashboard_url}/tenants/{tenant}\n"
    );
    let owners = store.members(tenant).await?.into_iter().filter(|member| member.role == Role::Owner);
    let added = match change {
        Change::MemberAdded(email, role) => Some((email, role)),
        _ => None,
    };
    let owners = owners.filter(|owner| added.is_none_or(|(email, _)| email != owner.email));
    let subject = format!("{subject}: {name}");
    let mut mails: Vec<_> =
        owners.map(|owner| Mail { to: owner.email, subject: subject.clone(), text: text.clone() }).collect();
    mails.extend(added.map(|(email, role)| invitation(&name, dashboard_url, email, role)));
    Ok(mails)
}

/// Sends the mails about a change. What was done is done whether or not its owners can be told.
pub(crate) async fn tell(service: &Service, tenant: &str, change: Change<'_>, by: &str) {
    if !service.mailer.is_configured() {
        return;
    }
    match mails(&service.store, &service.dashboard_url(), tenant, change, by).await {
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
        Change::MemberAdded(email, role) => {
            ("New member", format!("{email} was made a member by {by}, in the role {}.", role.as_str()))
        }
        Change::MemberChanged(email, role) => {
            ("Role changed", format!("{email} was given the role {} by {by}.", role.as_str()))
        }
    }
}

/// It holds no secret: whoever reads the mail of that address can sign in anyway.
fn invitation(name: &str, dashboard_url: &str, email: &str, role: Role) -> Mail {
    Mail {
        to: email.to_owned(),
        subject: format!("You are invited to {name} on Connect"),
        text: format!(
            "You are a member of {name} on Connect now, in the role {}.\n\n\
             Sign in with this address, {email}, at:\n\n{dashboard_url}\n\n\
             If you do not know {name}, do nothing.\n",
            role.as_str()
        ),
    }
}

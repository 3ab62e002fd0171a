//! `connect-service member` and `connect-service sign-in`.

use clap::{Args, Subcommand};
use connect_service::config::Config;
use connect_service::dashboard;
use connect_service::ids;
use connect_service::mail::Mailer;
use connect_service::notices::{self, Change};
use connect_service::state::SetupError;
use connect_service::store::{Actor, MAX_ADDED, MAX_MEMBERS, Member, MemberChange, NewSignIn, Role, Store};

use super::output::time;
use super::{Output, account, check_tenant, complain};

#[derive(Subcommand)]
pub(crate) enum MemberCommand {
    /// Let somebody see and change a tenant in the dashboard, or give a member another role. Who is new is invited by
    /// mail.
    Add {
        /// The tenant's id.
        tenant: String,
        /// The email to sign in with.
        #[arg(value_parser = account)]
        email: String,
        /// owner: everything; member: everything but keys and members; viewer: see, and change nothing.
        #[arg(long, default_value = "member", value_parser = role)]
        role: Role,
    },
    /// List the members of a tenant.
    List {
        /// The tenant's id.
        tenant: String,
    },
    /// Remove a member, but not the last owner.
    Remove {
        /// The tenant's id.
        tenant: String,
        /// The member's email.
        #[arg(value_parser = account)]
        email: String,
    },
}

#[derive(Args)]
pub(crate) struct SignInCommand {
    /// Who is to sign in: a member or a customer.
    #[arg(value_parser = account)]
    email: String,
}

fn role(text: &str) -> Result<Role, String> {
    text.parse()
}

pub(crate) async fn members(
    store: &Store,
    config: &Config,
    command: MemberCommand,
    output: Output,
) -> Result<(), SetupError> {
    match command {
        MemberCommand::Add { tenant, email, role } => {
            let before = store.members(&tenant).await?;
            let change = store.put_member(&tenant, &email, role, Actor::CommandLine).await?;
            check(change)?;
            let told = match change {
                MemberChange::Added => Change::MemberAdded(&email, role),
                MemberChange::AddedAgain => Change::MemberAddedAgain(&email, role),
                MemberChange::Changed => Change::MemberChanged(&email, role),
                _ => return Ok(()),
            };
            tell(store, config, &tenant, &before, told).await
        }
        MemberCommand::List { tenant } => {
            check_tenant(store, &tenant).await?;
            let members = store.members(&tenant).await?.into_iter().map(|member| {
                [
                    member.email.into(),
                    member.role.as_str().into(),
                    time(member.created_at),
                    time(member.joined_at),
                ]
            });
            output.table(["email", "role", "created_at", "joined_at"], members)
        }
        MemberCommand::Remove { tenant, email } => {
            let before = store.members(&tenant).await?;
            check(store.remove_member(&tenant, &email, Actor::CommandLine).await?)?;
            tell(store, config, &tenant, &before, Change::MemberRemoved(&email)).await
        }
    }
}

fn check(change: MemberChange) -> Result<(), SetupError> {
    match change {
        MemberChange::Added
        | MemberChange::AddedAgain
        | MemberChange::Changed
        | MemberChange::Unchanged
        | MemberChange::Removed => Ok(()),
        MemberChange::LastOwner => Err("it is the last owner: make somebody else an owner first".into()),
        MemberChange::TooMany => Err(format!("there are {MAX_MEMBERS} members: remove one first").into()),
        MemberChange::TooManyAdded => Err(format!("{MAX_ADDED} members were added within a day").into()),
        MemberChange::Unknown => Err("there is no such tenant, or no such member".into()),
    }
}

/// Mails the owners, where mail is configured. The change is made whether or not that succeeds.
pub(super) async fn tell(
    store: &Store,
    config: &Config,
    tenant: &str,
    before: &[Member],
    change: Change<'_>,
) -> Result<(), SetupError> {
    let mailer = Mailer::new(&config.smtp)?;
    let Some(public_url) = config.known_public_url().filter(|_| mailer.is_configured()) else {
        return Ok(());
    };
    let dashboard_url = format!("{public_url}{}", dashboard::PREFIX);
    for mail in notices::mails(store, &dashboard_url, tenant, before, change, "the operator").await? {
        if let Err(error) = mailer.send(&mail).await {
            complain(&*Box::<dyn std::error::Error + Send + Sync>::from(format!(
                "done, but a mail was not sent: {error}"
            )))?;
        }
    }
    Ok(())
}

/// Prints a link that signs in whoever opens it, once within ten minutes.
pub(crate) async fn sign_in(
    store: &Store,
    config: &Config,
    command: &SignInCommand,
    output: Output,
) -> Result<(), SetupError> {
    let public_url = config.known_public_url().ok_or(
        "the address would have no port: set public_url, since `listen` leaves the port to the running service",
    )?;
    let email = &command.email;
    if !config.dashboard.self_service && !store.is_account(email).await? {
        return Err(
            "nobody knows this email here: make it a member of a tenant first, with `member add`".into()
        );
    }
    let secret = ids::secret();
    store.create_sign_in(&NewSignIn { email, secret: &secret, asker: None, return_to: "" }).await?;
    output.value("url", &dashboard::link_address(&public_url, &secret))
}

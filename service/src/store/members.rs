//! Members: the accounts that may see and change a tenant in the dashboard, each in a role.

use std::str::FromStr;
use std::time::Duration;

use super::audit::{Action, Actor};
use super::database::{Query, Row, Transaction};
use super::{Result, Store, StoreError};
use crate::clock::{Millis, millis};
use crate::ids;

/// How many members a tenant can have.
pub const MAX_MEMBERS: i64 = 200;

/// How many members can be added to a tenant within 24 hours, other than by the operator: each one is sent mail.
pub const MAX_ADDED: i64 = 20;

const ADDED_WINDOW: Duration = Duration::from_secs(24 * 60 * 60);

/// What a member may do; each role includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// See, and change nothing.
    Viewer,
    /// Change everything but keys and members.
    Member,
    /// Everything.
    Owner,
}

/// A member of a tenant.
#[derive(Debug, Clone)]
pub struct Member {
    /// The account.
    pub email: String,
    /// What it may do.
    pub role: Role,
    /// When it was added.
    pub created_at: Millis,
    /// When it first signed in since; none as long as it is only invited.
    pub joined_at: Option<Millis>,
}

/// A tenant of which an account is a member.
#[derive(Debug, Clone)]
pub struct Membership {
    /// The tenant's id.
    pub tenant: String,
    /// The tenant's name.
    pub tenant_name: String,
    /// Whether the tenant's keys and links open nothing.
    pub is_disabled: bool,
    /// What the account may do.
    pub role: Role,
}

/// What a change of members did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberChange {
    /// There is a new member.
    Added,
    /// There is a new member, who was added within the last day before, and so is invited already.
    AddedAgain,
    /// A member has another role.
    Changed,
    /// A member had the role that was asked for already.
    Unchanged,
    /// A member is removed.
    Removed,
    /// It would leave the tenant without an owner.
    LastOwner,
    /// There are [`MAX_MEMBERS`].
    TooMany,
    /// [`MAX_ADDED`] were added within a day.
    TooManyAdded,
    /// There is no such tenant or member.
    Unknown,
}

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Member, Self::Owner];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Member => "member",
            Self::Owner => "owner",
        }
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut all = Self::ALL.into_iter();
        all.find(|role| role.as_str() == text).ok_or_else(|| "it must be owner, member or viewer".to_owned())
    }
}

impl Store {
    /// Makes an account a member, or gives a member another role.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn put_member(
        &self,
        tenant: &str,
        email: &str,
        role: Role,
        actor: Actor<'_>,
    ) -> Result<MemberChange> {
        let mut transaction = self.database.begin().await?;
        if !self.lock_tenant(&mut transaction, tenant).await? {
            transaction.rollback().await?;
            return Ok(MemberChange::Unknown);
        }
        let others = self.other_members(&mut transaction, tenant, email).await?;
        let change = match others.role {
            Some(Role::Owner) if role != Role::Owner && others.owners == 0 => MemberChange::LastOwner,
            Some(current) if current == role => MemberChange::Unchanged,
            Some(_) => MemberChange::Changed,
            None if others.members >= MAX_MEMBERS => MemberChange::TooMany,
            None => self.addition(&mut transaction, tenant, email, actor).await?,
        };
        let action = match change {
            MemberChange::Added | MemberChange::AddedAgain => Action::MemberAdded,
            MemberChange::Changed => Action::MemberChanged,
            _ => {
                transaction.rollback().await?;
                return Ok(change);
            }
        };
        self.insert_member(&mut transaction, tenant, email, role).await?;
        self.note(&mut transaction, tenant, Some(&audit_id(tenant, email)), action, actor).await?;
        transaction.commit().await?;
        Ok(change)
    }

    /// Removes a member, but not the last owner.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn remove_member(&self, tenant: &str, email: &str, actor: Actor<'_>) -> Result<MemberChange> {
        let mut transaction = self.database.begin().await?;
        self.lock_tenant(&mut transaction, tenant).await?;
        let others = self.other_members(&mut transaction, tenant, email).await?;
        let change = match others.role {
            None => MemberChange::Unknown,
            Some(Role::Owner) if others.owners == 0 => MemberChange::LastOwner,
            Some(_) => MemberChange::Removed,
        };
        if change != MemberChange::Removed {
            transaction.rollback().await?;
            return Ok(change);
        }
        let query =
            Query::new("DELETE FROM members WHERE tenant_id = $1 AND email = $2").bind(tenant).bind(email);
        transaction.execute(query).await?;
        let member = audit_id(tenant, email);
        self.note(&mut transaction, tenant, Some(&member), Action::MemberRemoved, actor).await?;
        transaction.commit().await?;
        Ok(change)
    }

    /// A tenant's members, owners first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn members(&self, tenant: &str) -> Result<Vec<Member>> {
        let query = Query::new(
            "SELECT email, role, created_at, joined_at FROM members WHERE tenant_id = $1
             ORDER BY CASE role WHEN 'owner' THEN 0 WHEN 'member' THEN 1 ELSE 2 END, email",
        )
        .bind(tenant);
        let member = |row: &Row| {
            Ok(Member {
                email: row.get("email")?,
                role: read_role(row)?,
                created_at: row.get("created_at")?,
                joined_at: row.get("joined_at")?,
            })
        };
        self.database.fetch_all(query).await?.iter().map(member).collect()
    }

    /// The tenants of which an account is a member.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn memberships(&self, email: &str) -> Result<Vec<Membership>> {
        let query = Query::new(
            "SELECT m.tenant_id, m.role, t.name, t.disabled_at FROM members m JOIN tenants t ON t.id = m.tenant_id
             WHERE m.email = $1 ORDER BY t.name, t.id",
        )
        .bind(email);
        self.database.fetch_all(query).await?.iter().map(read_membership).collect()
    }

    /// What an account is to a tenant; none where there is no such tenant, or it is no member.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn membership(&self, tenant: &str, email: &str) -> Result<Option<Membership>> {
        let query = Query::new(
            "SELECT m.tenant_id, m.role, t.name, t.disabled_at FROM members m JOIN tenants t ON t.id = m.tenant_id
             WHERE m.tenant_id = $1 AND m.email = $2",
        )
        .bind(tenant)
        .bind(email);
        let row = self.database.fetch_optional(query).await?;
        row.as_ref().map(read_membership).transpose()
    }

    pub(super) async fn insert_member(
        &self,
        transaction: &mut Transaction,
        tenant: &str,
        email: &str,
        role: Role,
    ) -> Result<()> {
        let query = Query::new(
            "INSERT INTO members (tenant_id, email, role, created_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (tenant_id, email) DO UPDATE SET role = excluded.role",
        )
        .bind(tenant)
        .bind(email)
        .bind(role.as_str())
        .bind(self.clock.now());
        transaction.execute(query).await?;
        Ok(())
    }

    /// What adding a member would be. Those who were removed since count, too.
    async fn addition(
        &self,
        transaction: &mut Transaction,
        tenant: &str,
        email: &str,
        actor: Actor<'_>,
    ) -> Result<MemberChange> {
        let query = Query::new(
            "SELECT key_id, actor FROM audit WHERE tenant_id = $1 AND at > $2 AND action = 'member.added'",
        )
        .bind(tenant)
        .bind(self.clock.now() - millis(ADDED_WINDOW));
        let (member, operator) = (audit_id(tenant, email), Actor::CommandLine.to_string());
        let (mut by_members, mut again) = (0, false);
        for row in transaction.fetch_all(query).await? {
            by_members += i64::from(row.get::<&str>("actor")? != operator);
            again |= row.get::<Option<&str>>("key_id")? == Some(member.as_str());
        }
        Ok(match again {
            _ if actor != Actor::CommandLine && by_members >= MAX_ADDED => MemberChange::TooManyAdded,
            true => MemberChange::AddedAgain,
            false => MemberChange::Added,
        })
    }

    /// What a member is, and how many others there are.
    async fn other_members(
        &self,
        transaction: &mut Transaction,
        tenant: &str,
        email: &str,
    ) -> Result<Others> {
        let query = Query::new("SELECT email, role FROM members WHERE tenant_id = $1").bind(tenant);
        let mut others = Others { role: None, members: 0, owners: 0 };
        for row in transaction.fetch_all(query).await? {
            let role = read_role(&row)?;
            if row.get::<&str>("email")? == email {
                others.role = Some(role);
            } else {
                others.members += 1;
                others.owners += i64::from(role == Role::Owner);
            }
        }
        Ok(others)
    }
}

/// The members of a tenant beside one, and what that one is.
struct Others {
    role: Option<Role>,
    members: i64,
    owners: i64,
}

/// What names a member in the audit, which tells nobody's email.
fn audit_id(tenant: &str, email: &str) -> String {
    format!("mem_{}", ids::digest(&format!("{tenant} {email}")))
}

fn read_role(row: &Row) -> Result<Role> {
    row.get::<&str>("role")?.parse().map_err(|_| StoreError::Unreadable("role"))
}

fn read_membership(row: &Row) -> Result<Membership> {
    Ok(Membership {
        tenant: row.get("tenant_id")?,
        tenant_name: row.get("name")?,
        is_disabled: row.get::<Option<Millis>>("disabled_at")?.is_some(),
        role: read_role(row)?,
    })
}

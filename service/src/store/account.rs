//! Whose account a connection is for. A customer who authorises it again may be signed in to another account at the
//! provider than they think: then the product would go on with somebody else's data under the same id.
//!
//! What is compared is the provider's own id of the account, in the transaction that stores the grant, so that of two
//! grants that come at once the second sees the first.

use secrecy::ExposeSecret;

use super::credentials::GRANT_COLUMNS;
use super::database::{Query, Transaction};
use super::{Grant, Link, Result, Store, StoreError, Tokens};
use crate::catalogue::Account;

/// What became of a grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrantOutcome {
    /// The connection holds it, or it waits until it is confirmed.
    Stored,
    /// The link had ended before, in whatever way; the connection is as it was.
    LinkEnded,
    /// The connection is for this account and the grant for another one; the link stays open.
    OtherAccount(Account),
    /// It was made with an OAuth client that was just entered, and another one is the organization's by now; the link stays
    /// open.
    ClientTaken,
}

impl Grant {
    /// Whose account the grant before this one was for, where both are known and are not the same.
    pub(super) fn changes_account(&self, earlier: &Self) -> Option<Account> {
        let account = earlier.details.account.clone()?;
        (self.has_same_account(earlier) == Some(false)).then_some(account)
    }

    /// This grant with the refresh token of the one before it, where it brought none: some providers give one with the
    /// first consent alone, and go on to honour that (Google, unless it is asked to prompt). Not where it may be somebody
    /// else's, nor another OAuth client's, for which it does not work.
    pub(super) fn continuing(mut self, earlier: Option<&Self>) -> Self {
        let earlier = earlier.filter(|earlier| {
            earlier.auth_option_key == self.auth_option_key
                && earlier.oauth_client == self.oauth_client
                && self.has_same_account(earlier) == Some(true)
        });
        let refresh_token = earlier.and_then(|earlier| earlier.tokens.as_ref()?.refresh_token.clone());
        if let Some(tokens) = &mut self.tokens {
            tokens.refresh_token = tokens.refresh_token.take().or(refresh_token);
        }
        self
    }

    /// Whether one of the tokens is in both: some providers issue the same again.
    pub(super) fn shares_token(&self, other: &Self) -> bool {
        let (Some(own), Some(others)) = (&self.tokens, &other.tokens) else { return false };
        let refresh = |tokens: &Tokens| Some(tokens.refresh_token.as_ref()?.expose_secret().to_owned());
        own.access_token.expose_secret() == others.access_token.expose_secret()
            || refresh(own).is_some_and(|own| refresh(others) == Some(own))
    }

    /// `None` where that is not known: a provider does not tell, or two options of an app call accounts differently.
    fn has_same_account(&self, earlier: &Self) -> Option<bool> {
        let id = |grant: &Self| grant.details.account.as_ref()?.id.clone();
        let is_comparable = self.comparable_options.contains(&earlier.auth_option_key);
        (self.app_id == earlier.app_id && is_comparable).then(|| Some(id(self)? == id(earlier)?)).flatten()
    }
}

impl Store {
    /// What the connection holds, for a grant that may take its place. A grant that may not is revoked, in the transaction
    /// that would have stored it; the connection must be locked.
    pub(super) async fn replaceable(
        &self,
        transaction: &mut Transaction,
        link: &Link,
        grant: &Grant,
    ) -> Result<std::result::Result<Option<Grant>, GrantOutcome>> {
        let tenant = &link.owner.tenant;
        let current = self.current_grant(transaction, tenant, &link.connection_id).await?;
        let query = Query::new(
            "SELECT id FROM links WHERE id = $1 AND status = 'pending' AND expires_at > $2
                AND NOT EXISTS (SELECT 1 FROM unconfirmed WHERE link_id = $1)",
        )
        .bind(&link.id)
        .bind(self.clock.now());
        let is_open = transaction.fetch_optional(query).await?.is_some();
        let outcome = match link.options.refused_change(current.as_ref(), grant) {
            _ if !is_open => GrantOutcome::LinkEnded,
            Some(account) => GrantOutcome::OtherAccount(account),
            None => return Ok(Ok(current)),
        };
        self.queue_revocation(transaction, tenant, grant).await?;
        Ok(Err(outcome))
    }

    /// What a connection holds before another grant takes its place; `None` too where that does not open any more, since a
    /// new grant is the remedy.
    pub(super) async fn current_grant(
        &self,
        transaction: &mut Transaction,
        tenant: &str,
        connection_id: &str,
    ) -> Result<Option<Grant>> {
        let query = format!(
            "SELECT {GRANT_COLUMNS} FROM credentials k JOIN connections c ON c.id = k.connection_id
             WHERE k.connection_id = $1 AND c.tenant_id = $2"
        );
        let row = transaction.fetch_optional(Query::new(&query).bind(connection_id).bind(tenant)).await?;
        let Some(row) = row else { return Ok(None) };
        match self.read_grant(&row, tenant, connection_id).await {
            Err(error @ (StoreError::Vault(_) | StoreError::Unreadable(_))) => {
                tracing::warn!(%error, connection = connection_id, "what the connection holds cannot be read");
                Ok(None)
            }
            current => current.map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{AuthType, Inputs};
    use crate::store::{Details, Origin};

    fn grant(option: &str, account: Option<&str>, refresh_token: Option<&str>) -> Grant {
        let account = Account { id: account.map(str::to_owned), label: Some("a".into()), url: None };
        Grant {
            app_id: "app".into(),
            auth_type: AuthType::OAuth,
            auth_option_key: option.into(),
            comparable_options: vec!["oauth".into(), "token".into()],
            account_digest: None,
            oauth_client: None,
            origin: Origin::Link,
            inputs: Inputs::new(),
            tokens: Some(Tokens {
                access_token: "at".into(),
                refresh_token: refresh_token.map(Into::into),
                token_type: "Bearer".into(),
                obtained_at: 0,
                expires_at: None,
            }),
            details: Details { account: Some(account), ..Details::default() },
        }
    }

    #[test]
    fn accounts_differ_only_where_both_are_known() {
        let differs = |new: &Grant, old: &Grant| new.changes_account(old).is_some();
        let one = grant("oauth", Some("1"), None);
        assert!(!differs(&one, &one));
        assert!(differs(&one, &grant("oauth", Some("2"), None)));
        assert!(differs(&one, &grant("token", Some("2"), None)));
        for unknown in [
            grant("oauth", None, None),
            grant("named_otherwise", Some("2"), None),
            Grant { app_id: "another".into(), ..grant("oauth", Some("2"), None) },
            Grant { details: Details::default(), ..grant("oauth", Some("2"), None) },
        ] {
            assert!(!differs(&one, &unknown), "{:?}", unknown.auth_option_key);
        }
        assert!(!differs(&grant("oauth", None, None), &one));
    }

    #[test]
    fn a_refresh_token_is_kept_for_the_same_account_alone() {
        let kept = |new: Grant, old: &Grant| {
            let tokens = new.continuing(Some(old)).tokens.unwrap();
            tokens.refresh_token.map(|token| token.expose_secret().to_owned())
        };
        let old = grant("oauth", Some("1"), Some("old"));
        assert_eq!(kept(grant("oauth", Some("1"), None), &old).as_deref(), Some("old"));
        assert_eq!(kept(grant("oauth", Some("1"), Some("new")), &old).as_deref(), Some("new"));
        assert_eq!(kept(grant("oauth", Some("2"), None), &old), None);
        assert_eq!(kept(grant("oauth", None, None), &old), None);
        assert_eq!(kept(grant("token", Some("1"), None), &old), None);
        let by_another = Grant { oauth_client: Some("oac_1".into()), ..grant("oauth", Some("1"), None) };
        assert_eq!(kept(by_another, &old), None);
        assert_eq!(kept(grant("oauth", Some("1"), None), &grant("oauth", None, Some("old"))), None);
    }
}

//! Which of the OAuth callback's parameters are relied on, and that the provider verifies those.
//!
//! The customer's browser carries the callback, so that its parameters say whatever the customer likes: QuickBooks names the
//! company in one, and another company's number would pass for the customer's own. A token is for one company: the provider
//! refuses it for another. Parameters that neither calls nor the account use are kept as they come.

use std::collections::BTreeSet;

use super::AuthOption;
use super::kept::Reference;

impl AuthOption {
    /// Whether calls or the account rely on a parameter of the callback. An account is then connected only where the
    /// verification, which sends the parameter, succeeds.
    pub(crate) fn relies_on_callback(&self) -> bool {
        [false, true].into_iter().any(|sandbox| !self.relied_on_parameters(sandbox).is_empty())
    }

    /// The first parameter that is relied on, and that the verification does not send.
    pub(super) fn callback_problem(&self) -> Option<String> {
        let request = self.verify.as_ref().map(|verify| &verify.request);
        let unverified = [false, true].into_iter().find_map(|sandbox| {
            let sent = request.map(|request| self.data_of_request(request, sandbox)).unwrap_or_default();
            let sent = self.parameters_of(&sent);
            self.relied_on_parameters(sandbox).difference(&sent).next().copied()
        })?;
        Some(format!(
            "`callback:/{unverified}` is whatever a browser says: [auth.verify] has to send it, too"
        ))
    }

    /// The parameters that the account or a call names.
    fn relied_on_parameters(&self, sandbox: bool) -> BTreeSet<&str> {
        let account = [&self.account.id, &self.account.label, &self.account.url].into_iter().flatten();
        let of_account = account.filter_map(|kept| kept.reference.callback_parameter());
        of_account.chain(self.parameters_of(&self.data_of_calls(sandbox))).collect()
    }

    /// The parameters that are the values of these names in `[auth.provider_data]`.
    fn parameters_of(&self, names: &BTreeSet<String>) -> BTreeSet<&str> {
        let references =
            names.iter().filter_map(|name| self.provider_data.get(name)).map(|kept| &kept.reference);
        references.filter_map(Reference::callback_parameter).collect()
    }
}

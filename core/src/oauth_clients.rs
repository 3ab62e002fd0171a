//! The calls about OAuth clients: the tenant's own, and those of its customers' organizations.

use http::Method;

use crate::body_calls::{DeleteOrganizationApp, SetAppSettings, SetOAuthClient, SetOrganizationOAuthClient};
use crate::call::Call;
use crate::client::Client;
use crate::error::{Error, RequestTarget};
use crate::model::{AppSettings, OAuthClient, OAuthClientRemoval};
use crate::request::{Request, checked_id};

impl Client {
    /// What the tenant says of an app. Needs the capability `admin`.
    ///
    /// # Errors
    /// [`Error::Other`] with the code `app_not_found` for an unknown app.
    pub fn get_app_settings(&self, app_id: &str) -> Call<AppSettings> {
        Call::new(self.clone(), self.app_request("getAppSettings", Method::GET, app_id, "settings"))
    }

    /// Says whether organizations bring OAuth clients of their own for an app. Replaces all of its settings. Needs the
    /// capability `admin`. See [`SetAppSettings`] for the options.
    ///
    /// ```no_run
    /// # async fn example(client: pabbly_connect::Client) -> Result<(), pabbly_connect::Error> {
    /// use pabbly_connect::ManagedBy;
    /// let settings = client.set_app_settings("clio").managed_by(ManagedBy::Organization).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Other`] with the code `app_not_found` for an unknown app.
    pub fn set_app_settings(&self, app_id: &str) -> SetAppSettings {
        let request = self.app_request("setAppSettings", Method::PUT, app_id, "settings");
        SetAppSettings::new(self.clone(), request)
    }

    /// Enters the tenant's own OAuth client for an app: new connections are made with it. Needs the capability `admin`.
    /// See [`SetOAuthClient`] for the options.
    ///
    /// The same client id with a new secret continues with all its connections. One with another client id takes the
    /// place of the one before, which goes on refreshing the connections made with it.
    ///
    /// ```no_run
    /// # async fn example(client: pabbly_connect::Client, secret: &str) -> Result<(), pabbly_connect::Error> {
    /// let own = client.set_oauth_client("gmail", "1234.apps.example.com", secret).await?;
    /// println!("register {}", own.redirect_uri);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Other`] with the code `app_not_found` for an unknown app, and with `invalid_request` and perhaps
    /// [`fields`](Error::fields) for what is no client.
    pub fn set_oauth_client(&self, app_id: &str, client_id: &str, client_secret: &str) -> SetOAuthClient {
        let request = self.app_request("setOAuthClient", Method::PUT, app_id, "oauth-client");
        SetOAuthClient::new(self.clone(), request.map(entering), client_id, client_secret)
    }

    /// The tenant's own OAuth client for an app, without its secret. Needs the capability `admin`.
    ///
    /// # Errors
    /// [`Error::Other`] with the code `oauth_client_not_found` where there is none.
    pub fn get_oauth_client(&self, app_id: &str) -> Call<OAuthClient> {
        Call::new(self.clone(), self.app_request("getOAuthClient", Method::GET, app_id, "oauth-client"))
    }

    /// Removes the tenant's own OAuth client for an app, and ends its connections and those of the clients that it
    /// replaced: they need reconnection, with the reason `client_changed`. Needs the capability `admin`.
    ///
    /// # Errors
    /// [`Error::Other`] with the code `oauth_client_not_found` where there is none.
    pub fn delete_oauth_client(&self, app_id: &str) -> Call<OAuthClientRemoval> {
        Call::new(self.clone(), self.app_request("deleteOAuthClient", Method::DELETE, app_id, "oauth-client"))
    }

    /// Enters an organization's OAuth client for an app: its new connections are made with it. Needs the capability
    /// `admin`. See [`SetOrganizationOAuthClient`] for the options.
    ///
    /// The same client id with a new secret continues with all its connections. One with another client id ends what
    /// was connected with the one before: those connections need reconnection, with the reason `client_changed`.
    ///
    /// # Errors
    /// [`Error::Other`] with the code `app_not_found` for an unknown app, and with `invalid_request` and perhaps
    /// [`fields`](Error::fields) for what is no client.
    pub fn set_organization_oauth_client(
        &self,
        organization_id: &str,
        app_id: &str,
        client_id: &str,
        client_secret: &str,
    ) -> SetOrganizationOAuthClient {
        let call = "setOrganizationOAuthClient";
        let request =
            self.organization_request(call, Method::PUT, organization_id, app_id, &["oauth-client"]);
        SetOrganizationOAuthClient::new(self.clone(), request.map(entering), client_id, client_secret)
    }

    /// An organization's OAuth client for an app, without its secret. Needs the capability `admin`.
    ///
    /// # Errors
    /// [`Error::Other`] with the code `oauth_client_not_found` where there is none.
    pub fn get_organization_oauth_client(&self, organization_id: &str, app_id: &str) -> Call<OAuthClient> {
        let call = "getOrganizationOAuthClient";
        let request =
            self.organization_request(call, Method::GET, organization_id, app_id, &["oauth-client"]);
        Call::new(self.clone(), request)
    }

    /// Removes an organization's OAuth client for an app, and ends its connections: they need reconnection, with the
    /// reason `client_changed`. Needs the capability `admin`.
    ///
    /// # Errors
    /// [`Error::Other`] with the code `oauth_client_not_found` where there is none.
    pub fn delete_organization_oauth_client(
        &self,
        organization_id: &str,
        app_id: &str,
    ) -> Call<OAuthClientRemoval> {
        let call = "deleteOrganizationOAuthClient";
        let request =
            self.organization_request(call, Method::DELETE, organization_id, app_id, &["oauth-client"]);
        Call::new(self.clone(), request)
    }

    /// Removes an organization's connections of an app, and its OAuth client. Needs the capability `delete`. See
    /// [`DeleteOrganizationApp`] for the options.
    ///
    /// # Errors
    /// [`Error::ConnectionInUse`] while something uses one of the connections, and `force` is not given: nothing is
    /// removed.
    pub fn delete_organization_app(&self, organization_id: &str, app_id: &str) -> DeleteOrganizationApp {
        let request =
            self.organization_request("deleteOrganizationApp", Method::DELETE, organization_id, app_id, &[]);
        let target = RequestTarget::DeleteConnections;
        DeleteOrganizationApp::new(self.clone(), request.map(|request| Request { target, ..request }))
    }

    /// A request about one app of the tenant's.
    fn app_request(
        &self,
        call: &'static str,
        method: Method,
        app_id: &str,
        part: &str,
    ) -> Result<Request, Error> {
        let segments = ["apps", checked_id("app id", app_id)?, part];
        Ok(self.request(call, method, &segments, RequestTarget::General))
    }

    /// A request about one app of one organization.
    fn organization_request(
        &self,
        call: &'static str,
        method: Method,
        organization_id: &str,
        app_id: &str,
        parts: &[&str],
    ) -> Result<Request, Error> {
        let organization = checked_id("organization id", organization_id)?;
        let mut segments = vec!["organizations", organization, "apps", checked_id("app id", app_id)?];
        segments.extend(parts);
        Ok(self.request(call, method, &segments, RequestTarget::General))
    }
}

/// A request whose error can say which part of the client is at fault.
fn entering(request: Request) -> Request {
    Request { target: RequestTarget::OAuthClient, ..request }
}

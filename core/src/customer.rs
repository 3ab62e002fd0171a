//! A client narrowed to one customer, and the calls about that customer's connections.

use std::fmt;

use http::{HeaderValue, Method};

use crate::body_calls::{CreateAdminLink, DeleteCustomer, ImportConnection, UpdateConnection};
use crate::call::{Call, Empty};
use crate::client::Client;
use crate::error::{Error, RequestTarget};
use crate::link::CreateRequestLink;
use crate::list::List;
use crate::model::{Connection, Contact, Verification};
use crate::proxy_call::ProxyCall;
use crate::request::{RateLimitBucket, Request, checked_id};
use crate::token::Token;
use crate::wait::Wait;

/// A client that acts for one customer. Made by [`Client::customer`]; cloning is cheap.
#[derive(Clone)]
pub struct Customer {
    client: Client,
    email: HeaderValue,
}

impl Customer {
    pub(crate) fn new(client: Client, email: HeaderValue) -> Self {
        Self { client, email }
    }

    /// Makes a hosted page where the customer connects an app. Needs the capability `connections`.
    ///
    /// `app_id` is from the catalogue and `name` is what the customer sees later, such as `Work Gmail`. See
    /// [`CreateRequestLink`] for the options.
    ///
    /// ```no_run
    /// # async fn example(alice: pabbly_connect::Customer) -> Result<(), pabbly_connect::Error> {
    /// let link = alice
    ///     .create_request_link("gmail", "Work Gmail")
    ///     .return_url("https://app.example.com/connected")
    ///     .await?;
    /// println!("send the customer to {}", link.request_link);
    /// # Ok(()) }
    /// ```
    pub fn create_request_link(&self, app_id: &str, name: &str) -> CreateRequestLink {
        CreateRequestLink::new(self.clone(), app_id, name)
    }

    /// One connection and its status. Needs the capability `connections`.
    ///
    /// # Errors
    /// [`Error::ConnectionDeleted`] where there is no such connection of this tenant and customer.
    pub fn get_connection(&self, connection_id: &str) -> Call<Connection> {
        Call::new(self.client.clone(), self.get_connection_request(connection_id))
    }

    pub(crate) fn get_connection_request(&self, connection_id: &str) -> Result<Request, Error> {
        self.about("getConnection", Method::GET, connection_id, &[], RequestTarget::Connection)
    }

    /// Waits until the connection is no longer pending, and gives it. Needs the capability `connections`.
    ///
    /// Without a timeout it waits until the link itself expires. See [`Wait`] for the options.
    ///
    /// ```no_run
    /// # async fn example(alice: pabbly_connect::Customer) -> Result<(), pabbly_connect::Error> {
    /// use pabbly_connect::ConnectionStatus;
    /// let connection = alice.wait_for_connection("conn_1").await?;
    /// if connection.status != ConnectionStatus::Active {
    ///     println!("declined or expired: make a new link");
    /// }
    /// # Ok(()) }
    /// ```
    pub fn wait_for_connection(&self, connection_id: &str) -> Wait {
        Wait::new(self.clone(), connection_id)
    }

    /// Makes a connection active whose link was made with `confirm`. Needs the capability `connections`.
    ///
    /// `code` is the `confirmation_code` with which the customer's browser came to the return URL. Take the customer
    /// from the session of that very request: then nobody can have their link finished by somebody else.
    ///
    /// # Errors
    /// [`Error::ConnectionDeleted`] where the session's customer has no such connection: somebody else's link was
    /// finished. [`Error::Other`] with the code `connection_not_active` where no grant waits, and with
    /// `invalid_request` where the code is wrong.
    ///
    /// ```no_run
    /// # async fn example(session_customer: pabbly_connect::Customer, id: &str, code: &str)
    /// #     -> Result<(), pabbly_connect::Error> {
    /// let connection = session_customer.confirm_connection(id, code).await?;
    /// println!("{}", connection.status);
    /// # Ok(()) }
    /// ```
    pub fn confirm_connection(&self, connection_id: &str, code: &str) -> Call<Connection> {
        let request = self.about(
            "confirmConnection",
            Method::POST,
            connection_id,
            &["confirm"],
            RequestTarget::Connection,
        );
        let body = serde_json::json!({ "code": code });
        let request = request.and_then(Request::idempotent);
        Call::new(self.client.clone(), request.and_then(|request| request.json(&body)))
    }

    /// A credential that works now, refreshed where needed. Needs the capability `token`. Ask each time; never
    /// store or log it.
    ///
    /// # Errors
    /// [`Error::NeedsReconnection`] where the grant was revoked or has expired: send the customer through the
    /// connect flow again.
    ///
    /// ```no_run
    /// # async fn example(alice: pabbly_connect::Customer) -> Result<(), pabbly_connect::Error> {
    /// use pabbly_connect::{Error, ExposeSecret};
    /// match alice.get_token("conn_1").await {
    ///     Ok(token) => match token.authorization() {
    ///         Some(value) => println!("an Authorization header of {} bytes", value.expose_secret().len()),
    ///         None => println!("fields: {:?}", token.fields), // prints the names alone
    ///     },
    ///     Err(Error::NeedsReconnection(_)) => println!("connect again"),
    ///     Err(error) => return Err(error),
    /// }
    /// # Ok(()) }
    /// ```
    pub fn get_token(&self, connection_id: &str) -> Call<Token> {
        let request =
            self.about("getToken", Method::POST, connection_id, &["token"], RequestTarget::Connection);
        let request = request.and_then(Request::idempotent);
        Call::new(
            self.client.clone(),
            request.map(|request| Request { bucket: RateLimitBucket::Token, ..request }),
        )
    }

    /// Calls the connection's API through the platform, which adds the credential: this program never holds it. Needs
    /// the capability `proxy`. See [`ProxyCall`] for the options.
    ///
    /// `path` is what follows the connection's `api_base_url`, as the provider documents it; it may have a query.
    /// Whatever the provider answers is given back, with its status. Dropping the future, or the response's body, ends
    /// the provider's call.
    ///
    /// ```no_run
    /// # async fn example(alice: pabbly_connect::Customer) -> Result<(), pabbly_connect::Error> {
    /// let response = alice.proxy("conn_1", "GET", "crm/v3/objects/contacts").query("limit", 10).await?;
    /// if response.status() == 200 {
    ///     let page: serde_json::Value = response.into_body().json().await?;
    ///     println!("{}", page["results"]);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of the platform alone. [`Error::NeedsReconnection`] where the grant was revoked or has expired;
    /// [`Error::Other`] with the code `provider_no_response` or `provider_timeout`, [`Error::Network`] and
    /// [`Error::Timeout`] leave open whether the provider carried the request out.
    pub fn proxy(&self, connection_id: &str, method: impl TryInto<Method>, path: &str) -> ProxyCall {
        let method = method.try_into().map_err(|_| Error::invalid_argument("the method is no name of one"));
        let request = method.and_then(|method| {
            self.about("proxy", method, connection_id, &["proxy"], RequestTarget::Connection)
        });
        let request = request.map(|request| Request { bucket: RateLimitBucket::Proxy, ..request });
        ProxyCall::new(self.client.clone(), request, path)
    }

    /// The customer's connections that this tenant made: one page when awaited, all as a stream. Needs the
    /// capability `connections`.
    pub fn list_connections(&self) -> List<Connection> {
        List::connections(self.client.clone(), self.list_connections_request())
    }

    pub(crate) fn list_connections_request(&self) -> Request {
        let request =
            self.client.request("listConnections", Method::GET, &["connections"], RequestTarget::General);
        request.email(self.email.clone())
    }

    /// The contacts of the customer's CRMs, in one shape: one page when awaited, all as a stream, none twice. Needs the
    /// capability `proxy`.
    ///
    /// A connection that fails is among a page's [`errors`](crate::Page::errors), and ends the stream with an error after all
    /// contacts that there are.
    ///
    /// ```no_run
    /// # async fn example(alice: pabbly_connect::Customer) -> Result<(), pabbly_connect::Error> {
    /// use futures_util::TryStreamExt;
    /// let mut contacts = std::pin::pin!(alice.list_contacts().app_id("hubspot").stream());
    /// while let Some(contact) = contacts.try_next().await? {
    ///     println!("{:?} {:?}", contact.display_name, contact.emails);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn list_contacts(&self) -> List<Contact> {
        let request = self.client.request("listContacts", Method::GET, &["contacts"], RequestTarget::General);
        let request = Request { bucket: RateLimitBucket::Contacts, ..request.email(self.email.clone()) };
        List::contacts(self.client.clone(), request)
    }

    /// Changes a connection's name, labels or metadata, and gives the connection. What is left out stays. Needs the
    /// capability `connections`. See [`UpdateConnection`] for the options.
    ///
    /// ```no_run
    /// # async fn example(alice: pabbly_connect::Customer) -> Result<(), pabbly_connect::Error> {
    /// let connection = alice.update_connection("conn_1").name("Support").clear_customer_name().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::ConnectionDeleted`] where there is no such connection of this tenant and customer.
    pub fn update_connection(&self, connection_id: &str) -> UpdateConnection {
        let request =
            self.about("updateConnection", Method::PATCH, connection_id, &[], RequestTarget::Connection);
        UpdateConnection::new(self.client.clone(), request)
    }

    /// Makes a connection of a credential that you have already, past the hosted page. Needs the capability `import`.
    /// Keys go into [`fields`](ImportConnection::fields), OAuth tokens into
    /// [`access_token`](ImportConnection::access_token) or [`refresh_token`](ImportConnection::refresh_token). You
    /// answer for the customer's consent. See [`ImportConnection`] for the options.
    ///
    /// ```no_run
    /// # async fn example(alice: pabbly_connect::Customer, key: String) -> Result<(), pabbly_connect::Error> {
    /// match alice.import_connection("sendgrid", "Mail").fields([("api_key", key)]).await {
    ///     Ok(connection) => println!("{}", connection.id),
    ///     Err(error) => println!("{:?}", error.fields()), // a sentence for each field that is at fault
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Other`] with the code `invalid_request` and [`fields`](Error::fields) where a field is at fault.
    pub fn import_connection(&self, app_id: &str, name: &str) -> ImportConnection {
        let segments = ["connections", "import"];
        let target = RequestTarget::ImportConnection;
        let request = self.client.request("importConnection", Method::POST, &segments, target);
        let request = request.email(self.email.clone()).idempotent();
        ImportConnection::new(self.client.clone(), request, app_id, name)
    }

    /// Checks the connection's credential at the provider. The connection stays as it is. Needs the capability
    /// `connections`.
    ///
    /// # Errors
    /// [`Error::NeedsReconnection`] where the grant was revoked or has expired: send the customer through the connect
    /// flow again.
    pub fn verify_connection(&self, connection_id: &str) -> Call<Verification> {
        let request = self.about(
            "verifyConnection",
            Method::POST,
            connection_id,
            &["verify"],
            RequestTarget::Connection,
        );
        Call::new(self.client.clone(), request.and_then(Request::idempotent))
    }

    /// Marks a connection as in use: it cannot be deleted until the usage is removed. `usage_id` is your own name for
    /// what uses it, such as a workflow's id. Repeating it changes nothing. Needs the capability `connections`.
    ///
    /// # Errors
    /// [`Error::ConnectionDeleted`] where there is no such connection of this tenant and customer.
    pub fn add_usage(&self, connection_id: &str, usage_id: &str) -> Call<Empty> {
        self.usage("addUsage", Method::PUT, connection_id, usage_id)
    }

    /// Marks a connection as no longer in use. Removing a usage that is not there succeeds as well. Needs the
    /// capability `connections`.
    ///
    /// # Errors
    /// [`Error::ConnectionDeleted`] where there is no such connection of this tenant and customer.
    pub fn remove_usage(&self, connection_id: &str, usage_id: &str) -> Call<Empty> {
        self.usage("removeUsage", Method::DELETE, connection_id, usage_id)
    }

    fn usage(&self, call: &'static str, method: Method, connection_id: &str, usage_id: &str) -> Call<Empty> {
        let request = checked_id("usage id", usage_id).and_then(|usage_id| {
            self.about(call, method, connection_id, &["usages", usage_id], RequestTarget::Connection)
        });
        Call::new(self.client.clone(), request)
    }

    /// Deletes a connection and its credential. Needs the capability `delete`.
    ///
    /// # Errors
    /// [`Error::ConnectionInUse`] while something uses it.
    pub fn delete_connection(&self, connection_id: &str) -> Call<Empty> {
        let request = self.about(
            "deleteConnection",
            Method::DELETE,
            connection_id,
            &[],
            RequestTarget::DeleteConnection,
        );
        Call::new(self.client.clone(), request)
    }

    /// Removes everything of the customer: all connections are deleted, and what was granted is revoked at the provider
    /// where that is possible. Events stay, with ids alone. Needs the capability `delete`. See [`DeleteCustomer`] for the
    /// options.
    ///
    /// ```no_run
    /// # async fn example(alice: pabbly_connect::Customer) -> Result<(), pabbly_connect::Error> {
    /// let removed = alice.delete_customer().force(true).await?;
    /// println!("{} connections", removed.connections);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::ConnectionInUse`] while something uses one of the connections, and `force` is not given: nothing is
    /// removed.
    pub fn delete_customer(&self) -> DeleteCustomer {
        let target = RequestTarget::DeleteConnections;
        let request = self.client.request("deleteCustomer", Method::DELETE, &["customers"], target);
        DeleteCustomer::new(self.client.clone(), Ok(request.email(self.email.clone())))
    }

    /// Makes a hosted page where the customer looks after the OAuth clients of an organization. It works for ten minutes,
    /// and in the first browser that opens it. You answer for the customer's right to do so. Needs the capability `admin`.
    /// See [`CreateAdminLink`] for the options.
    ///
    /// ```no_run
    /// # async fn example(alice: pabbly_connect::Customer) -> Result<(), pabbly_connect::Error> {
    /// let link = alice.create_admin_link("org_42").name("Example Ltd").await?;
    /// redirect(&link.admin_link);
    /// # Ok(()) }
    /// # fn redirect(_: &str) {}
    /// ```
    pub fn create_admin_link(&self, organization_id: &str) -> CreateAdminLink {
        let request = checked_id("organization id", organization_id).and_then(|id| {
            let segments = ["organizations", id, "admin-link"];
            let request =
                self.client.request("createAdminLink", Method::POST, &segments, RequestTarget::General);
            request.email(self.email.clone()).idempotent()
        });
        CreateAdminLink::new(self.client.clone(), request)
    }

    /// A request that names one connection.
    fn about(
        &self,
        call: &'static str,
        method: Method,
        connection_id: &str,
        parts: &[&str],
        target: RequestTarget,
    ) -> Result<Request, Error> {
        let mut segments = vec!["connections", checked_id("connection id", connection_id)?];
        segments.extend(parts);
        Ok(self.client.request(call, method, &segments, target).email(self.email.clone()))
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn email(&self) -> &HeaderValue {
        &self.email
    }
}

impl fmt::Debug for Customer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Customer")
            .field("email", &String::from_utf8_lossy(self.email.as_bytes()))
            .field("client", &self.client)
            .finish()
    }
}

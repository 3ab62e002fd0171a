//! Lists: one page when awaited, all pages one after the other, by numbers or by a cursor.

use std::collections::HashSet;
use std::future::IntoFuture;
use std::time::Duration;

use futures_util::stream::{self, Stream, StreamExt, TryStreamExt};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::call::{CallOptions, Pending, call_options};
use crate::client::Client;
use crate::error::{Error, ErrorKind, kind_of_code};
use crate::model::{App, Connection, ConnectionStatus, Contact, FailedConnection};
use crate::request::Request;
use crate::shape::{AppShape, ConnectionShape, ContactShape};

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Page<T> {
    /// What the page holds (`apps`, `connections` or `contacts` on the wire).
    #[serde(alias = "apps", alias = "connections", alias = "contacts")]
    pub items: Vec<T>,
    /// Which page this is, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u64>,
    /// How many items a full page holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// How many items there are on all pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Where the next page begins; none on the last page. Only of contacts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// The connections whose contacts are missing, or the rest of them. Only of contacts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FailedConnection>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What a list can be made of.
pub trait Item: DeserializeOwned + Send + 'static {
    /// What is checked in its place where only the JSON text is wanted.
    #[doc(hidden)]
    type Shape: Item;

    /// Whether the next page is asked for with a cursor, and not with its number.
    #[doc(hidden)]
    const FOLLOWS_CURSOR: bool = false;

    /// The item's id, by which a page that was seen before is known.
    #[doc(hidden)]
    fn id(&self) -> &str;

    /// Within what the id is unique, of a list that follows a cursor. Items of one follow one another.
    #[doc(hidden)]
    fn scope(&self) -> &str {
        ""
    }
}

/// Lists of which a page can be asked for by its number.
pub trait PagedByNumber: Item {}

impl PagedByNumber for App {}

impl PagedByNumber for Connection {}

impl Item for App {
    type Shape = AppShape;

    fn id(&self) -> &str {
        &self.id
    }
}

impl Item for Connection {
    type Shape = ConnectionShape;

    fn id(&self) -> &str {
        &self.id
    }
}

impl Item for Contact {
    type Shape = ContactShape;

    const FOLLOWS_CURSOR: bool = true;

    fn id(&self) -> &str {
        &self.id
    }

    fn scope(&self) -> &str {
        &self.connection_id
    }
}

#[derive(Clone, Debug, Default)]
struct Query {
    search: Option<String>,
    app_id: Option<String>,
    connection_id: Option<String>,
    cursor: Option<String>,
    status: Option<ConnectionStatus>,
    customer_id: Option<String>,
    needs_reconnection: Option<bool>,
    page: Option<u64>,
    limit: Option<u64>,
}

/// A call for a list, sent when it is awaited: one page, as the guide does. [`stream`](Self::stream) and
/// [`pages`](Self::pages) go through all pages, beginning with the one that was asked for.
#[must_use = "a call does nothing until it is awaited"]
pub struct List<T> {
    client: Client,
    request: Request,
    query: Query,
    options: CallOptions,
    item: std::marker::PhantomData<fn() -> T>,
}

impl List<App> {
    pub(crate) fn apps(client: Client, request: Request) -> Self {
        Self::new(client, request)
    }

    /// Only apps whose name, id or category holds this.
    pub fn search(mut self, text: impl Into<String>) -> Self {
        self.query.search = Some(text.into());
        self
    }
}

impl List<Connection> {
    pub(crate) fn connections(client: Client, request: Request) -> Self {
        Self::new(client, request)
    }

    /// Only connections of this app.
    pub fn app_id(mut self, app_id: impl Into<String>) -> Self {
        self.query.app_id = Some(app_id.into());
        self
    }

    /// Only connections with this status.
    pub fn status(mut self, status: ConnectionStatus) -> Self {
        self.query.status = Some(status);
        self
    }

    /// Only connections with this `customer_id`.
    pub fn customer_id(mut self, customer_id: impl Into<String>) -> Self {
        self.query.customer_id = Some(customer_id.into());
        self
    }

    /// Only connections that need the customer again, or only the others.
    pub fn needs_reconnection(mut self, needs_reconnection: bool) -> Self {
        self.query.needs_reconnection = Some(needs_reconnection);
        self
    }
}

impl List<Contact> {
    pub(crate) fn contacts(client: Client, request: Request) -> Self {
        Self::new(client, request)
    }

    /// Only contacts of this app's connections. Default: of all CRMs.
    pub fn app_id(mut self, app_id: impl Into<String>) -> Self {
        self.query.app_id = Some(app_id.into());
        self
    }

    /// Only contacts of this connection.
    pub fn connection_id(mut self, connection_id: impl Into<String>) -> Self {
        self.query.connection_id = Some(connection_id.into());
        self
    }

    /// Only contacts in which the CRM finds this text.
    pub fn search(mut self, text: impl Into<String>) -> Self {
        self.query.search = Some(text.into());
        self
    }

    /// Goes on at this cursor, of a page or of one of its errors, with the same other options.
    pub fn cursor(mut self, cursor: impl Into<String>) -> Self {
        self.query.cursor = Some(cursor.into());
        self
    }
}

impl<T: PagedByNumber> List<T> {
    /// Which page, from 1. Without it the first.
    pub fn page(mut self, page: u64) -> Self {
        self.query.page = Some(page);
        self
    }
}

impl<T: Item> List<T> {
    fn new(client: Client, request: Request) -> Self {
        let (query, options) = (Query::default(), CallOptions::default());
        Self { client, request, query, options, item: std::marker::PhantomData }
    }

    /// How many items a page holds, 1 to 100. The service's default is 20.
    pub fn limit(mut self, limit: u64) -> Self {
        self.query.limit = Some(limit);
        self
    }

    call_options!();

    /// See `Call::json`.
    #[cfg(feature = "bindings")]
    pub(crate) async fn json(self) -> Result<SecretString, Error> {
        Ok(self.fetch::<T::Shape>(None).await?.1)
    }

    /// The same with the pages that follow, for hosts whose page can be iterated on from.
    #[cfg(feature = "bindings")]
    pub(crate) async fn json_and_rest(self) -> Result<(SecretString, Pages<T>), Error> {
        let (page, json) = self.fetch::<T::Shape>(None).await?;
        let mut rest = self.pages();
        rest.turn(&page);
        Ok((json, rest))
    }

    /// All pages, one call for each when it is asked for. The options hold for each call.
    pub fn pages(self) -> Pages<T> {
        Pages { next: Some(self), last_first_id: None, seen: Seen::default(), failed: None }
    }

    /// All items of all pages.
    pub fn stream(self) -> impl Stream<Item = Result<T, Error>> + Send {
        stream::try_unfold(self.pages(), async |mut pages| Ok(pages.next().await?.map(|page| (page, pages))))
            .map_ok(|page| stream::iter(page.items).map(Ok))
            .try_flatten()
    }

    /// Sends the call for one page, which must not be the one that began with `last_first_id`.
    async fn fetch<I: Item>(&self, last_first_id: Option<&str>) -> Result<(Page<I>, SecretString), Error> {
        let mut request = self.request.clone();
        let Query {
            search,
            app_id,
            connection_id,
            cursor,
            status,
            customer_id,
            needs_reconnection,
            page,
            limit,
        } = &self.query;
        if page == &Some(0) || limit == &Some(0) {
            return Err(Error::invalid_argument("pages and limits count from 1"));
        }
        let members = [
            ("search", search.clone()),
            ("app_id", app_id.clone()),
            ("connection_id", connection_id.clone()),
            ("cursor", cursor.clone()),
            ("status", status.as_ref().map(ToString::to_string)),
            ("customer_id", customer_id.clone()),
            ("needs_reconnection", needs_reconnection.map(|flag| flag.to_string())),
            ("page", page.map(|number| number.to_string())),
            ("limit", limit.map(|number| number.to_string())),
        ];
        for (name, value) in members {
            if let Some(value) = value {
                request.url.query_pairs_mut().append_pair(name, &value);
            }
        }
        let response = self.client.execute(&request, self.options).await?;
        let (page, json) = response.decode_json::<Page<I>>()?;
        if !I::FOLLOWS_CURSOR && page.items.first().is_some_and(|first| Some(first.id()) == last_first_id) {
            return Err(response.refused("the service gives the same page again and again"));
        }
        Ok((page, json))
    }
}

impl<T: Item> IntoFuture for List<T> {
    type Output = Result<Page<T>, Error>;
    type IntoFuture = Pending<Page<T>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { Ok(self.fetch::<T>(None).await?.0) })
    }
}

/// The pages of a list, one after the other. Made by [`List::pages`].
pub struct Pages<T> {
    /// The call for the next page; `None` after the last.
    next: Option<List<T>>,
    last_first_id: Option<String>,
    seen: Seen,
    /// The first connection of which something is missing.
    failed: Option<FailedConnection>,
}

/// Which items came, of a list that follows a cursor.
#[derive(Default)]
struct Seen {
    scope: String,
    ids: HashSet<String>,
    /// Pages in a row that brought nothing new.
    idle_pages: u32,
}

/// Pages in a row that may bring nothing new: a service asks several providers for each.
const MAX_IDLE_PAGES: u32 = 100;

impl Seen {
    /// Takes note of an item; tells whether it is a new one.
    fn insert<I: Item>(&mut self, item: &I) -> bool {
        if self.scope != item.scope() {
            item.scope().clone_into(&mut self.scope);
            self.ids.clear();
        }
        self.ids.insert(item.id().to_owned())
    }
}

impl<T: Item> Pages<T> {
    /// The next page that holds something, or `None` at the end. Of contacts no page holds one that came before.
    ///
    /// After an error the same page can be asked for again.
    ///
    /// # Errors
    /// Whatever the call gives; [`Error::Decode`] where the service gives the same page again, so that going on
    /// would never end. Of contacts, in the place of the end, the first of the pages' [`errors`](Page::errors), so that what
    /// is missing is not taken for what is not there.
    pub async fn next(&mut self) -> Result<Option<Page<T>>, Error> {
        Ok(self.advance::<T>().await?.map(|(page, _)| page))
    }

    /// The same as the JSON text that came; see `Call::json`.
    #[cfg(feature = "bindings")]
    pub(crate) async fn next_json(&mut self) -> Result<Option<SecretString>, Error> {
        Ok(self.advance::<T::Shape>().await?.map(|(_, json)| json))
    }

    async fn advance<I: Item>(&mut self) -> Result<Option<(Page<I>, SecretString)>, Error> {
        loop {
            let Some(call) = &self.next else {
                return self.failed.take().map_or(Ok(None), |failed| Err(failed.into_error()));
            };
            let (page, json) = call.fetch::<I>(self.last_first_id.as_deref()).await?;
            let doubles = self.turn(&page);
            if !I::FOLLOWS_CURSOR {
                return Ok((!page.items.is_empty()).then_some((page, json)));
            }
            if self.seen.idle_pages == 0 {
                return Ok(Some(without(page, json, &doubles)));
            }
            if self.seen.idle_pages >= MAX_IDLE_PAGES {
                let message = "the service gives pages without anything new again and again";
                return Err(Error::local(ErrorKind::Decode, message));
            }
        }
    }

    /// Takes note of a page, so that the next call is for the one after it. Gives the indexes of items that came before.
    fn turn<I: Item>(&mut self, page: &Page<I>) -> Vec<usize> {
        if I::FOLLOWS_CURSOR {
            if self.failed.is_none() {
                self.failed = page.errors.first().cloned();
            }
            match (&mut self.next, &page.next_cursor) {
                (Some(call), Some(cursor)) => call.query.cursor = Some(cursor.clone()),
                (next, _) => *next = None,
            }
            let items = page.items.iter().enumerate();
            let doubles: Vec<_> =
                items.filter(|(_, item)| !self.seen.insert(*item)).map(|(index, _)| index).collect();
            let is_idle = doubles.len() == page.items.len() && page.errors.is_empty();
            self.seen.idle_pages = if is_idle { self.seen.idle_pages + 1 } else { 0 };
            return doubles;
        }
        self.turn_by_number(page);
        Vec::new()
    }

    fn turn_by_number<I: Item>(&mut self, page: &Page<I>) {
        let (Some(call), Some(first)) = (&mut self.next, page.items.first()) else {
            self.next = None;
            return;
        };
        self.last_first_id = Some(first.id().to_owned());
        let number = call.query.page.unwrap_or(1);
        if is_last(page, number, call.query.limit) {
            self.next = None;
        } else {
            call.query.page = Some(number.saturating_add(1));
        }
    }
}

/// A page, and its JSON text, without some of its items.
fn without<I>(mut page: Page<I>, json: SecretString, doubles: &[usize]) -> (Page<I>, SecretString) {
    if doubles.is_empty() {
        return (page, json);
    }
    let mut text: Value = serde_json::from_str(json.expose_secret()).unwrap_or_default();
    let list = ["contacts", "items"].iter().find(|name| text[**name].is_array());
    // From the last one on, so that the others keep their indexes.
    for &index in doubles.iter().rev() {
        page.items.remove(index);
        if let Some(items) = list.and_then(|name| text[*name].as_array_mut()) {
            items.remove(index);
        }
    }
    (page, text.to_string().into())
}

impl FailedConnection {
    /// The error that it is where it cannot be told beside others' items.
    fn into_error(self) -> Error {
        let message = format!("the contacts of {} are not complete: {}", self.connection_id, self.message);
        let retry_after = self.retry_after.map(Duration::from_secs);
        Error::local(kind_of_code(&self.code), message).with_code(&self.code).with_retry_after(retry_after)
    }
}

/// Whether nothing follows, as far as the page tells. Where it tells nothing, the next one will be empty.
fn is_last<T>(page: &Page<T>, number: u64, asked_limit: Option<u64>) -> bool {
    let limit = page.limit.or(asked_limit);
    let all_seen =
        matches!((page.total, limit), (Some(total), Some(limit)) if number.saturating_mul(limit) >= total);
    let not_full = limit.is_some_and(|limit| (page.items.len() as u64) < limit);
    all_seen || not_full
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(items: usize, limit: Option<u64>, total: Option<u64>) -> Page<()> {
        let (next_cursor, errors) = (None, Vec::new());
        Page { items: vec![(); items], page: None, limit, total, next_cursor, errors, extra: Map::new() }
    }

    #[test]
    fn the_last_page_is_known_by_the_total_or_by_not_being_full() {
        assert!(is_last(&page(20, Some(20), Some(40)), 2, None));
        assert!(!is_last(&page(20, Some(20), Some(41)), 2, None));
        assert!(is_last(&page(19, Some(20), None), 1, None));
        assert!(!is_last(&page(20, Some(20), None), 1, None));
        assert!(is_last(&page(4, None, None), 1, Some(5)));
        assert!(!is_last(&page(4, None, None), 1, None));
        // A service that caps the limit tells its own, which counts.
        assert!(!is_last(&page(100, Some(100), None), 1, Some(1000)));
    }
}

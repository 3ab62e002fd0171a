//! Emulated CRMs: the requests for contacts of HubSpot, Zoho CRM, Pipedrive, GoHighLevel and monday.com, answered in
//! the shapes that their documentation shows, and as strictly. The catalogue files name the pages; nothing here reads
//! the catalogue, so that a mistake there shows.
//!
//! The people are made up, always the same ones: some without a name, an email or a company, some archived.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::clock::rfc3339;

/// A person in a CRM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// From 0.
    pub number: usize,
    /// Given name.
    pub first_name: Option<&'static str>,
    /// Family name.
    pub last_name: String,
    /// The usual one first.
    pub emails: Vec<String>,
    /// The usual one first.
    pub phones: Vec<String>,
    /// Employer.
    pub company: Option<&'static str>,
    /// Job title.
    pub title: Option<&'static str>,
    /// Whether it is in the archive.
    pub is_archived: bool,
    /// RFC 3339, UTC.
    pub created_at: String,
}

/// A request to a CRM.
pub struct CrmRequest<'a> {
    /// Behind the API's address.
    pub path: &'a str,
    /// The decoded parameters.
    pub query: &'a BTreeMap<String, String>,
    /// The header `Version`.
    pub version: Option<&'a str>,
    /// As it came.
    pub body: &'a [u8],
}

/// A status, and a body unless it is empty.
pub type CrmResponse = (u16, Option<Value>);

const FIRST_NAMES: [&str; 6] = ["Ada", "Grace", "Alan", "Édith", "Linus", "李"];
const LAST_NAMES: [&str; 5] = ["Lovelace", "Hopper", "Turing", "Clarke", "O'Neil"];
const COMPANIES: [&str; 3] = ["Analytical Engines", "COBOL & Co.", "Bletchley Ltd"];
const TITLES: [&str; 3] = ["Engineer", "Head of Sales", "Buyer"];

/// The first of those that there are.
pub fn people(count: usize) -> impl Iterator<Item = Person> {
    (0..count).map(|number| {
        let pick = |list: &'static [&str]| list.get(number % list.len()).copied().unwrap_or_default();
        let address = |kind: &str| format!("{kind}{number}@example.com");
        let phone = |end: usize| format!("+1 555 {:04} {end}", number % 10_000);
        Person {
            number,
            first_name: (number % 7 != 3).then(|| pick(&FIRST_NAMES)),
            last_name: format!("{} {number}", pick(&LAST_NAMES)),
            emails: match number % 5 {
                0 => vec![],
                1 => vec![address("work"), address("home")],
                _ => vec![address("work")],
            },
            phones: if number.is_multiple_of(3) { vec![phone(1), phone(2)] } else { vec![] },
            company: number.is_multiple_of(2).then(|| pick(&COMPANIES)),
            title: (!number.is_multiple_of(6)).then(|| pick(&TITLES)),
            is_archived: number % 11 == 10,
            created_at: rfc3339(1_704_067_200_000 + 60_000 * i64::try_from(number).unwrap_or_default()),
        }
    })
}

impl Person {
    /// Both names, or the one that is there.
    pub fn name(&self) -> String {
        self.first_name.map_or_else(|| self.last_name.clone(), |first| format!("{first} {}", self.last_name))
    }

    fn matches(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.name().to_lowercase().contains(&text) || self.emails.iter().any(|email| email.contains(&text))
    }

    /// The time as some CRMs write it: in a time zone.
    fn created_in_india(&self) -> String {
        let millis = crate::clock::parse_rfc3339(&self.created_at).unwrap_or_default();
        rfc3339(millis + (5 * 60 + 30) * 60_000).replace('Z', "+05:30")
    }
}

/// The response of a CRM with these people; `None` where it is no request for contacts.
pub fn respond(app_id: &str, people: &[Person], request: &CrmRequest<'_>) -> Option<CrmResponse> {
    match app_id {
        "hubspot" => hubspot(people, request),
        "zoho-crm" => zoho(people, request),
        "pipedrive" => pipedrive(people, request),
        "gohighlevel" => gohighlevel(people, request),
        "monday-crm" => monday(people, request),
        _ => None,
    }
}

/// A number within bounds, or else the default where it is absent.
fn number(text: Option<&str>, default: usize, max: usize) -> Option<usize> {
    match text {
        None => Some(default),
        Some(text) => text.parse().ok().filter(|number| (1..=max).contains(number)),
    }
}

/// Those on the page after the first `skipped`, and whether more follow.
fn page(people: Vec<&Person>, skipped: usize, limit: usize) -> (Vec<&Person>, bool) {
    let has_more = people.len() > skipped.saturating_add(limit);
    (people.into_iter().skip(skipped).take(limit).collect(), has_more)
}

fn hubspot(people: &[Person], request: &CrmRequest<'_>) -> Option<CrmResponse> {
    const MAX_FOUND: usize = 10_000;
    let refused = |message: &str| {
        Some((400, Some(json!({"status": "error", "message": message, "category": "VALIDATION_ERROR"}))))
    };
    let is_search = request.path.ends_with("/crm/objects/2026-03/contacts/search");
    if !is_search && !request.path.ends_with("/crm/objects/2026-03/contacts") {
        return None;
    }
    let body: Value = serde_json::from_slice(request.body).unwrap_or_default();
    let (limit, after, properties) = if is_search {
        let properties = body["properties"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let limit = body["limit"].as_u64().map(|limit| limit.to_string());
        (limit, body["after"].as_str().map(str::to_owned), properties.map(str::to_owned).collect::<Vec<_>>())
    } else {
        let of = |name: &str| request.query.get(name).cloned();
        let properties = of("properties").unwrap_or_default();
        (of("limit"), of("after"), properties.split(',').map(str::to_owned).collect())
    };
    let max = if is_search { 200 } else { 100 };
    let Some(limit) = number(limit.as_deref(), 10, max) else { return refused("limit") };
    let skipped = after.map_or(Some(0), |after| after.parse::<usize>().ok());
    let Some(skipped) = skipped else { return refused("after") };
    if is_search && skipped + limit > MAX_FOUND {
        return refused("only 10,000 results can be paged through");
    }
    let search = body["query"].as_str().filter(|_| is_search);
    let wants_archived = request.query.get("archived").is_none_or(|archived| archived != "false");
    let people = people.iter().filter(|person| (wants_archived && !is_search) || !person.is_archived);
    let people: Vec<_> = people.filter(|person| search.is_none_or(|text| person.matches(text))).collect();
    let (total, (people, has_more)) = (people.len(), page(people, skipped, limit));
    let record = |person: &Person| {
        let value = |name: &str| match name {
            "email" => person.emails.first().cloned().into(),
            "hs_additional_emails" => match person.emails.get(1..) {
                Some(others) if !others.is_empty() => others.join(";").into(),
                _ => Value::Null,
            },
            "firstname" => person.first_name.into(),
            "lastname" => person.last_name.clone().into(),
            "phone" => person.phones.first().cloned().into(),
            "mobilephone" => person.phones.get(1).cloned().into(),
            "company" => person.company.into(),
            "jobtitle" => person.title.into(),
            _ => Value::Null,
        };
        let values = properties.iter().map(|name| (name.clone(), value(name)));
        json!({
            "id": (501 + person.number).to_string(),
            "properties": values.collect::<serde_json::Map<_, _>>(),
            "createdAt": person.created_at, "updatedAt": person.created_at, "archived": person.is_archived,
        })
    };
    let mut response = json!({"results": people.iter().copied().map(record).collect::<Vec<_>>()});
    if is_search {
        response["total"] = total.into();
    }
    if has_more {
        let after = (skipped + limit).to_string();
        let link = format!("https://api.hubapi.com/crm/objects/2026-03/contacts?after={after}");
        response["paging"] = json!({"next": {"after": after, "link": link}});
    }
    Some((200, Some(response)))
}

fn zoho(people: &[Person], request: &CrmRequest<'_>) -> Option<CrmResponse> {
    const MAX_PAGED: usize = 2_000;
    const TOKEN: &str = "token-";
    let refused = |code: &str| {
        Some((400, Some(json!({"code": code, "details": {}, "message": "refused", "status": "error"}))))
    };
    let is_search = request.path.ends_with("/Contacts/search");
    if !is_search && !request.path.ends_with("/Contacts") {
        return None;
    }
    let of = |name: &str| request.query.get(name).map(String::as_str);
    let fields: Vec<&str> = of("fields").map(|fields| fields.split(',').collect()).unwrap_or_default();
    if !is_search && (fields.is_empty() || fields.len() > 50) {
        return refused("REQUIRED_PARAM_MISSING");
    }
    let word = of("word");
    if is_search && word.is_none_or(|word| word.chars().count() < 2) {
        return refused("INVALID_QUERY");
    }
    let Some(limit) = number(of("per_page"), 200, 200) else { return refused("INVALID_DATA") };
    let (Some(number), token) = (number(of("page"), 1, usize::MAX), of("page_token")) else {
        return refused("INVALID_DATA");
    };
    if token.is_some() && of("page").is_some() {
        return refused("AMBIGUOUS_PROCESSING");
    }
    let skipped = match token {
        None => (number - 1).saturating_mul(limit),
        Some(token) => match token.strip_prefix(TOKEN).and_then(|skipped| skipped.parse().ok()) {
            Some(skipped) => skipped,
            None => return refused("INVALID_DATA"),
        },
    };
    if token.is_none() && skipped.saturating_add(limit) > MAX_PAGED {
        return refused("LIMIT_REACHED");
    }
    let people = people.iter().filter(|person| !person.is_archived);
    let people: Vec<_> =
        people.filter(|person| !is_search || word.is_none_or(|word| person.matches(word))).collect();
    let (people, has_more) = page(people, skipped, limit);
    if people.is_empty() {
        return Some((204, None));
    }
    let record = |person: &Person| {
        let all = json!({
            "First_Name": person.first_name, "Last_Name": person.last_name, "Full_Name": person.name(),
            "Email": person.emails.first(), "Secondary_Email": person.emails.get(1),
            "Phone": person.phones.first(), "Mobile": person.phones.get(1), "Home_Phone": null, "Other_Phone": null,
            "Account_Name": person.company.map(|name| json!({"name": name, "id": "4150868000000333001"})),
            "Title": person.title,
            "Created_Time": person.created_in_india(), "Modified_Time": person.created_in_india(),
        });
        let all = all.as_object().cloned().unwrap_or_default();
        let mut record: serde_json::Map<_, _> =
            all.into_iter().filter(|(name, _)| is_search || fields.contains(&name.as_str())).collect();
        record.insert("id".into(), format!("41508680000{:08}", person.number).into());
        Value::Object(record)
    };
    let next = (has_more && !is_search).then(|| format!("{TOKEN}{}", skipped + limit));
    let info = json!({
        "per_page": limit, "count": people.len(), "page": number, "more_records": has_more, "next_page_token": next,
        "previous_page_token": null, "page_token_expiry": null, "sort_by": "id", "sort_order": "desc",
    });
    Some((200, Some(json!({"data": people.iter().copied().map(record).collect::<Vec<_>>(), "info": info}))))
}

fn pipedrive(people: &[Person], request: &CrmRequest<'_>) -> Option<CrmResponse> {
    const CURSOR: &str = "eyJpZCI6";
    let refused = |error: &str| Some((400, Some(json!({"success": false, "error": error, "data": null}))));
    let is_search = request.path.ends_with("/v2/persons/search");
    if !is_search && !request.path.ends_with("/v2/persons") {
        return None;
    }
    let of = |name: &str| request.query.get(name).map(String::as_str);
    let term = of("term").filter(|_| is_search);
    if is_search && term.is_none_or(|term| term.chars().count() < 2) {
        return refused("the term is too short");
    }
    let Some(limit) = number(of("limit"), 100, 500) else { return refused("limit") };
    let skipped = match of("cursor") {
        None => 0,
        Some(cursor) => match cursor.strip_prefix(CURSOR).and_then(|skipped| skipped.parse().ok()) {
            Some(skipped) => skipped,
            None => return refused("Invalid cursor provided."),
        },
    };
    let people = people.iter().filter(|person| !is_search || !person.is_archived);
    let people = people.filter(|person| term.is_none_or(|term| person.matches(term))).collect();
    let (people, has_more) = page(people, skipped, limit);
    let values = |values: &[String], label: &str| -> Vec<_> {
        // The usual one need not be the first.
        let value =
            |(index, value): (usize, &String)| json!({"value": value, "primary": index == 0, "label": label});
        values.iter().enumerate().map(value).rev().collect()
    };
    let record = |person: &Person| {
        json!({
            "id": 1 + person.number, "name": person.name(), "first_name": person.first_name,
            "last_name": person.last_name, "owner_id": 1, "org_id": person.company.map(|_| 7),
            "add_time": person.created_at, "update_time": person.created_at,
            "emails": values(&person.emails, "work"), "phones": values(&person.phones, "mobile"),
            "is_deleted": person.is_archived, "visible_to": 3, "label_ids": [], "picture_id": null,
            "custom_fields": {}, "job_title": person.title,
        })
    };
    let found = |person: &Person| {
        json!({"result_score": 0.29, "item": {
            "id": 1 + person.number, "type": "person", "name": person.name(), "phones": person.phones,
            "emails": person.emails, "visible_to": 3, "owner": {"id": 1},
            "organization": person.company.map(|name| json!({"id": 7, "name": name})),
            "custom_fields": [], "notes": [],
        }})
    };
    let data = if is_search {
        json!({"items": people.iter().copied().map(found).collect::<Vec<_>>()})
    } else {
        people.iter().copied().map(record).collect()
    };
    let next = has_more.then(|| format!("{CURSOR}{}", skipped + limit));
    Some((200, Some(json!({"success": true, "data": data, "additional_data": {"next_cursor": next}}))))
}

fn gohighlevel(people: &[Person], request: &CrmRequest<'_>) -> Option<CrmResponse> {
    let refused = |message: &str| Some((400, Some(json!({"statusCode": 400, "message": message}))));
    if !request.path.ends_with("/contacts/search") {
        return None;
    }
    if !matches!(request.version, Some("2021-07-28" | "v3")) {
        return refused("version header is invalid");
    }
    let body: Value = serde_json::from_slice(request.body).unwrap_or_default();
    if body["locationId"].as_str().is_none_or(str::is_empty) {
        return refused("locationId can't be undefined");
    }
    let limit = body["pageLimit"].as_u64().map(|limit| limit.to_string()).unwrap_or_default();
    let Some(limit) = number(Some(&limit), 20, 500) else { return refused("pageLimit") };
    let people = people.iter().filter(|person| !person.is_archived);
    let query = body["query"].as_str();
    let people: Vec<_> = people.filter(|person| query.is_none_or(|query| person.matches(query))).collect();
    let total = people.len();
    let id = |person: &Person| format!("ocQHyuzHvysMo5N{:05}", person.number);
    let skipped = match &body["searchAfter"] {
        Value::Null => 0,
        after => match people.iter().position(|person| after[1] == id(person)) {
            Some(index) => index + 1,
            None => return refused("searchAfter"),
        },
    };
    let (people, _) = page(people, skipped, limit);
    let record = |person: &Person| {
        let millis = crate::clock::parse_rfc3339(&person.created_at).unwrap_or_default();
        json!({
            "id": id(person), "locationId": body["locationId"], "contactName": person.name().to_lowercase(),
            "firstName": person.first_name, "lastName": person.last_name,
            "firstNameLowerCase": person.first_name.map(str::to_lowercase),
            "lastNameLowerCase": person.last_name.to_lowercase(),
            "email": person.emails.first(), "additionalEmails": person.emails.get(1..).unwrap_or_default(),
            "phone": person.phones.first(), "additionalPhones": person.phones.get(1..).unwrap_or_default(),
            "companyName": person.company, "businessName": null, "tags": [], "customFields": [], "dnd": false,
            "dateAdded": person.created_at.replace('Z', ".255Z"),
            "dateUpdated": person.created_at.replace('Z', ".255Z"),
            "searchAfter": [millis, id(person)],
        })
    };
    let contacts: Vec<_> = people.iter().copied().map(record).collect();
    Some((200, Some(json!({"contacts": contacts, "total": total, "traceId": "0e7b"}))))
}

fn monday(people: &[Person], request: &CrmRequest<'_>) -> Option<CrmResponse> {
    const CURSOR: &str = "MSw5NzI4";
    let body: Value = serde_json::from_slice(request.body).ok()?;
    let (query, variables) = (body["query"].as_str()?, &body["variables"]);
    let failed = |code: &str| {
        Some((
            200,
            Some(json!({"errors": [{"message": "failed", "extensions": {"code": code}}], "account_id": 1})),
        ))
    };
    if query.contains("boards (limit: 100, page: $page") {
        let of = |kind: &str| json!({ "type": kind });
        let board = |id: &str, name: &str, kind: &str, columns: &[&str]| {
            let columns: Vec<_> = columns.iter().map(|kind| of(kind)).collect();
            json!({"id": id, "name": name, "type": kind, "columns": columns})
        };
        let boards = match variables["page"].as_u64() {
            Some(1) => json!([
                board("1001", "Contacts", "board", &["name", "email", "phone", "text", "board_relation"]),
                board("1002", "Subitems of Contacts", "sub_items_board", &["name", "email"]),
                board("1003", "Deals", "board", &["name", "email"]),
                board("1004", "Contact requests", "board", &["name", "status"]),
                board("1005", "Old contacts", "board", &["name", "email"]),
            ]),
            Some(_) => json!([]),
            None => return failed("missingRequiredField"),
        };
        return Some((200, Some(json!({"data": {"boards": boards}, "account_id": 1}))));
    }
    let is_more = query.contains("next_items_page (");
    if !is_more && !query.contains("items_page (") {
        return None;
    }
    let limit = variables["limit"].as_u64().map(|limit| limit.to_string()).unwrap_or_default();
    let Some(limit) = number(Some(&limit), 25, 500) else { return failed("INVALID_ARGUMENT") };
    // A cursor holds the board and what is searched for: the query that it came from.
    let (board, text, skipped) = if is_more {
        let cursor = variables["cursor"].as_str().and_then(|cursor| cursor.strip_prefix(CURSOR));
        let mut parts = cursor.unwrap_or_default().splitn(3, ',');
        let (board, skipped, text) = (parts.next(), parts.next(), parts.next());
        let Some(skipped) = skipped.and_then(|skipped| skipped.parse().ok()) else {
            return failed("CursorExpiredError");
        };
        (board.unwrap_or_default().to_owned(), text.unwrap_or_default().to_owned(), skipped)
    } else {
        let text = variables["text"].as_str().filter(|_| query.contains("contains_text")).unwrap_or_default();
        (variables["board"][0].as_str().unwrap_or_default().to_owned(), text.to_owned(), 0)
    };
    let is_on_board = |person: &Person| (person.number % 4 == 3) == (board == "1005");
    let people = people.iter().filter(|person| !person.is_archived && is_on_board(person));
    let found = people.filter(|person| person.name().to_lowercase().contains(&text.to_lowercase()));
    let known = ["1001", "1005"].contains(&board.as_str());
    let (people, has_more) = page(found.filter(|_| known).collect(), skipped, limit);
    let record = |person: &Person| {
        let mut columns: Vec<_> = person
            .emails
            .iter()
            .map(|email| json!({"text": email, "column": {"title": "Email"}, "email": email}))
            .collect();
        columns.extend(
            person
                .phones
                .iter()
                .map(|phone| json!({"text": phone, "column": {"title": "Phone"}, "phone": phone})),
        );
        columns.push(json!({"text": person.title.unwrap_or_default(), "column": {"title": "Title"}}));
        columns.push(json!({"text": "A note", "column": {"title": "Comments"}}));
        columns.push(json!({"text": null, "column": {"title": "Accounts"}, "display_value": person.company}));
        let id = (7_000_000_000 + person.number as u64).to_string();
        json!({
            "id": id, "name": person.name(), "url": format!("https://acme.monday.com/boards/{board}/pulses/{id}"),
            "created_at": person.created_at, "updated_at": person.created_at, "column_values": columns,
        })
    };
    let cursor = has_more.then(|| format!("{CURSOR}{board},{},{text}", skipped + limit));
    let items = json!({"cursor": cursor, "items": people.iter().copied().map(record).collect::<Vec<_>>()});
    let data = if is_more {
        json!({ "next_items_page": items })
    } else if known {
        json!({"boards": [{ "items_page": items }]})
    } else {
        json!({"boards": []})
    };
    Some((200, Some(json!({"data": data, "account_id": 1}))))
}

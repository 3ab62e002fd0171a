# What customers read, in English. Every text of the others is here; a test compares them.
# Texts whose key ends in -html may have <strong> and <code>. Values are escaped.

## Words

the-account = The account
the-organization = The organization
another-account = another account
optional = (optional)
try-again = Try again
go-back = Go back
go-on = Go on
cancel = Cancel
one-or-other = { $one } or { $other }

## The time that is left

page-works-for = { $minutes ->
    [0] This page works for less than a minute.
    [one] This page works for one more minute.
   *[other] This page works for { $minutes } more minutes.
}
admin-page-works-for = This page works for ten minutes, in this browser.

## The picker

picker-title = Choose an app to connect
picker-lead-html = <strong>{ $product }</strong> can work with any of these.
picker-lead-of-html = <strong>{ $product }</strong>, a product of <strong>{ $tenant }</strong>, can work with any of these.
picker-search = Search apps
picker-search-button = Search
picker-none = No app is called “{ $search }”.
picker-all = Show all apps

## Consent, and the form

connect-title = Connect { $app }
reconnect-title = Reconnect { $app }
please-check-title = Please check: { $title }
connect-lead-html = <strong>{ $product }</strong> asks for access to your { $app } account.
connect-lead-of-html = <strong>{ $product }</strong>, a product of <strong>{ $tenant }</strong>, asks for access to your { $app } account.
please-check = Please check what you entered.
where-to-find-in = Where to find it in { $app }
where-to-find-field = Where to find it: { $field }
show-secret = Show { $field }
hide-secret = Hide { $field }
show = Show
hide = Hide
fact-sign-in-html = You sign in at <strong>{ $host }</strong>, which then asks for your consent.
fact-password = Your password stays there. Neither this page nor { $product } sees it.
fact-stored = What you enter is stored encrypted. { $product } uses it to work with { $app } for you.
fact-client-of-html = It is connected with the OAuth client of <strong>{ $organization }</strong>.
fact-name-html = You will find it in { $product } as <strong>{ $name }</strong>.
permissions = Permissions in detail
can = With it, { $product } can
whose-html = It will be connected to the account of <strong>{ $customer }</strong> at { $tenant }. Only go on if that is your account.
whose-ascii-html = It will be connected to the account of <strong>{ $customer }</strong> (<code>{ $ascii }</code>) at { $tenant }. Only go on if that is your account.
continue-to = Continue to { $app }
connect = Connect
reconnect = Reconnect
other-option = { $option } instead
choose-another-app = Choose another app

## The first of an organization enters its OAuth client

last-attempt-failed = The last attempt failed.
last-attempt-advice = { $problem }. Check the client and what is registered for it, and enter its secret once more.
setup-note = { $organization } connects { $app } with an OAuth client of its own, and you are the first. Enter it here: everybody else of { $organization } then goes straight on.
redirect-uri = Redirect URI
redirect-uri-hint = Register exactly this address with the client.
client-id = Client ID
client-secret = Client secret
client-secret-known = Leave it empty to go on with the one that you entered before.
client-secret-missing = Enter the secret of this client.
client-not-printable = It must be printable ASCII characters. Copy it once more.

## How it ended

connected-title = { $app } is connected
connected-text = All done. You can close this window and go on in { $product }.
connected-account-html = Connected account: <strong>{ $account }</strong>
client-stored-text = All done. The OAuth client that you entered is stored: everybody else of { $organization } goes straight on, and is never asked for it. You can close this window and go on in { $product }.
declined-title = { $app } was not connected
declined-text = Access was not given, and nothing was shared. You can close this window and go back to { $product }.
declined-reason-text = Access was not given, and nothing was shared. { $app } says: “{ $reason }” You can close this window and go back to { $product }.
link-expired-title = This link has expired
link-expired-text = Links work for a short time and only once. Go back to { $product } and start again.
awaiting-title = { $app } is not connected yet
awaiting-text = Access was given in another browser. { $product } has yet to confirm it, signed in there.

## What went wrong

provider-failed-title = { $app } could not be connected
provider-failed-text = { $app } did not complete the sign-in. Nothing was shared. Please try again.
other-account-title = This is another { $app } account
other-account-text = { $problem } Nothing was changed.
other-account-named = You chose { $chosen }, and the connection “{ $name }” is for { $expected }. Try again, and choose { $expected }.
other-account-unnamed = You chose { $chosen }, and the connection “{ $name }” is for another account. Try again, and choose that one.
something-missing-title = Something is missing
something-missing-text = This way to connect does not exist. Please open the link again and choose from what it shows.
too-many-attempts-title = Too many attempts
too-many-attempts-text = This link takes no more. Please go back to where you found it and start again.
too-often-text = Please wait a minute, then load this page again.
incomplete-title = The account could not be connected
incomplete-text = The app did not say all that is needed. Nothing was shared. Please open the link again.
not-set-up-title = This app is not set up yet
not-set-up-text = Please ask an admin of your organization to connect it first. Nothing was changed.
admin-first-title = { $app } is not set up yet
admin-first-text = { $organization } connects { $app } with an OAuth client of its own, which an admin has to enter. Please ask an admin to connect it first; then open this link again.
not-available-title = Not available right now
not-available-text = This app cannot be connected at the moment. Please tell the product that sent you here.
client-taken-title = Somebody else was first
client-taken-text = { $organization } has an OAuth client for { $app } by now, which somebody else has just entered. The one that you entered is not used, and what was granted with it is withdrawn. Go on to connect with theirs.
admin-link-expired-text = Nothing was changed. Ask for a new one where you found it.
admin-link-taken-title = This link was opened in another browser
admin-link-taken-text = It works in the first browser alone that opens it. Ask for a new one where you found it.
unknown-link-title = There is no such link
unknown-link-text = Please check that the address is complete, or go back to where you found it and start again.
foreign-form-title = Please open the link again
foreign-form-text = This form was not sent from this browser, or your browser does not keep cookies. Nothing was changed.
unknown-sign-in-title = This page does not belong to your browser
unknown-sign-in-text = The sign-in was begun in another browser, or a long time ago, or your browser does not keep cookies. If you have just connected an account, all is well and you can close this window. Otherwise open the link again.
not-a-visit-title = Please open this page in a window of its own
not-a-visit-text = It was fetched in advance or from within another page. Nothing was changed.
under-way-title = One moment
under-way-text = The account is being connected. This page goes on by itself.
failed-title = Something went wrong
failed-text = It is our fault. Please try again in a moment.
unavailable-title = Please try again in a moment
unavailable-text = The service is not available just now. Please load this page again.

link-error-access-denied = Access was not given
link-error-link-expired = The link expired before access was given
link-error-app-not-configured = The app has no OAuth client that can be used
link-error-provider-refused = The provider sent you back with an error
link-error-invalid-response = The provider sent you back with neither a code nor an error
link-error-issuer-mismatch = The response came from another issuer than the app's
link-error-authorization-code-refused = The provider did not accept the authorization code
link-error-client-refused = The provider did not accept the OAuth client of this app
link-error-provider-unavailable = The provider gave no usable response to the token request
link-error-required-value-missing = The provider did not give a value that calls to its API need
link-error-account-not-verified = The provider did not confirm the account that the browser came back with
link-error-account-changed = Another account was chosen than the one that the connection is for
link-error-oauth-client-taken = Somebody else of the organization has entered another OAuth client at the same time

## What is wrong with a field

field-unknown = There is no such field.
field-required = { $field } is required.
field-too-long = { $field } is too long: at most { $max } characters.
field-characters = { $field } contains characters that cannot be used.
field-choose = Choose one of the values for { $field }.
field-subdomain = { $field } must be only the name: letters, digits and hyphens.
field-host-suffix = { $field } must be a name that ends in { $suffixes }
field-host = { $field } must be the name of a host, such as app.example.com.
field-segment = { $field } must be letters, digits and the characters . _ ~ - only.
field-uuid = { $field } must be an id such as 123e4567-e89b-12d3-a456-426614174000.
field-private-key = { $field } must be a private key in PEM, whole, with its first and last line.
field-email = { $field } must be an email address.
field-https = { $field } must be an address that starts with https://
field-plain-address = { $field } must be an address without user name, password, query and fragment.
field-internet-address = { $field } must be an address on the internet.
not-accepted = { $app } does not accept this. Check what you entered, and try again.
token-not-accepted = { $app } does not accept this token.
refreshed-token-not-accepted = { $app } does not accept the access token that it gave for this one.

## An organization's OAuth clients

clients-title = OAuth clients of { $organization }
clients-lead-html = <strong>{ $tenant }</strong> connects apps for everybody of { $organization } with these.
clients-none = There is none. The first person who connects an app is asked for one.
client-entered-by = Entered by { $person } on { $date }.
client-connections = Connections that depend on it: { $connections }.
new-client-secret = New client secret
new-client-secret-hint = The one that is stored is never shown. A new secret of the same client ends nothing.
client-warning = Editing credentials after a successful connection will invalidate existing sessions for all users in the organization. Only update these values if you are certain it is necessary — for example, if the application was re-registered.
client-confirm =
    { $connections ->
        [0] Another client, or none: nobody is connected with this one.
        [one] Everybody has to connect again: 1 connection ends.
       *[other] Everybody has to connect again: { $connections } connections end.
    }
save = Save
client-remove = Remove the client
client-gone = { $app } has no OAuth client any more.
client-removed = The OAuth client for { $app } is removed. Connections that ended: { $connections }.
client-secret-stored = The new secret for { $app } is stored. No connection ended.
client-replaced = The new OAuth client for { $app } is stored. Everybody has to connect again.
client-secret-refused = { $app } does not accept this secret. Nothing was changed.
client-unconfirmed = Confirm it here. Nothing was changed.

## What a permission lets a product do, behind "can". The catalogue says which of its scopes means which.

scope-mail-modify = read, write, send and sort your email
scope-mail-read-write = read, write and sort your email
scope-mail-send = send email for you
scope-calendar = see and change your calendars and events
scope-files-all = see and change all your files
scope-files-opened = see and change the files that you open with it
scope-spreadsheets = see and change your spreadsheets
scope-email-address = see your email address
scope-profile = see your name and picture
scope-stay-connected = stay connected while you are away
scope-contacts-read = see contacts
scope-contacts-write = add and change contacts
scope-crm-records = see and change all records of your CRM
scope-users-read = see the people of your organization
scope-chat-write = send messages
scope-channels-read = see the list of channels
scope-repositories = see and change your repositories
scope-posts-write = publish posts and comments for you
scope-issues-read = see projects and issues
scope-issues-write = add and change issues
scope-orders-read = see orders
scope-products-read = see products
scope-customers-read = see customers
scope-accounting = see and change your accounting
scope-api = use everything there that you may use yourself

## Texts of built-in apps. Each stands in the place of the catalogue's own where that is the English one.

sign-in-with = Sign in with { $name }
title-api-key = API key
title-api-token = API token
title-personal-access-token = Personal access token
title-personal-api-token = Personal API token
title-private-api-key = Private API key
title-private-app-token = Private app token
title-secret-key = Secret key
title-restricted-key = Restricted key
title-region = Region
title-subdomain = Subdomain
title-email = Email
title-email-and-api-token = Email and API token
title-company-domain = Company domain
title-api-url = API URL
app-activecampaign = Contacts, deals and automations.
app-airtable = Bases, tables and records.
app-asana = Tasks and projects.
app-bamboohr = Employees and time off.
app-brevo = Email and text message campaigns.
app-calendly = Event types and bookings.
app-clio = Matters, contacts and bills of a law firm.
app-discord = Servers and messages.
app-dropbox = Store and share files.
app-freshdesk = Tickets and contacts.
app-github = Repositories, issues and pull requests.
app-gitlab = Projects, issues and merge requests.
app-gmail = Read and send email.
app-gohighlevel = Contacts, conversations and pipelines of a sub-account.
app-google-calendar = Read and edit calendars and events.
app-google-drive = Store and share files.
app-google-sheets = Read and edit spreadsheets.
app-hubspot = Contacts, companies and deals.
app-insightly = Contacts, projects and opportunities.
app-intercom = Conversations and contacts.
app-jira = Issues and projects of Jira Cloud.
app-klaviyo = Profiles, lists and campaigns.
app-linear = Issues and projects.
app-linkedin = Profiles and posts.
app-mailchimp = Audiences and campaigns.
app-mailgun = Send, receive and track email.
app-microsoft-outlook = Email, calendars and contacts.
app-monday-crm = Boards, items and contacts of monday.com.
app-notion = Pages and databases.
app-openai = Language and image models.
app-pipedrive = Deals, people and activities.
app-quickbooks = Invoices, customers and payments.
app-salesforce = Leads, accounts and opportunities.
app-sendgrid = Send email.
app-shopify = Products, orders and customers of a shop.
app-slack = Send messages and follow channels.
app-stripe = Payments, customers and subscriptions.
app-trello = Boards, lists and cards.
app-twilio = Text messages and calls.
app-typeform = Forms and responses.
app-xero = Invoices, contacts and bank transactions.
app-zendesk = Tickets and users.
app-zoho-crm = Leads, contacts and deals.
app-zoom = Meetings and recordings.

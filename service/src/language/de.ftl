# Was Kundinnen und Kunden lesen, auf Deutsch.

## Words

the-account = Das Konto
the-organization = Die Organisation
another-account = ein anderes Konto
optional = (freiwillig)
try-again = Erneut versuchen
go-back = Zurück
go-on = Weiter
cancel = Abbrechen
one-or-other = { $one } oder { $other }

## The time that is left

page-works-for = { $minutes ->
    [0] Diese Seite ist noch weniger als eine Minute lang gültig.
    [one] Diese Seite ist noch eine Minute lang gültig.
   *[other] Diese Seite ist noch { $minutes } Minuten lang gültig.
}
admin-page-works-for = Diese Seite ist zehn Minuten lang gültig, und zwar in diesem Browser.

## The picker

picker-title = App zum Verbinden auswählen
picker-lead-html = <strong>{ $product }</strong> arbeitet mit jeder dieser Apps zusammen.
picker-lead-of-html = <strong>{ $product }</strong>, ein Produkt von <strong>{ $tenant }</strong>, arbeitet mit jeder dieser Apps zusammen.
picker-search = Apps suchen
picker-search-button = Suchen
picker-none = Keine App heißt „{ $search }“.
picker-all = Alle Apps anzeigen

## Consent, and the form

connect-title = { $app } verbinden
reconnect-title = { $app } erneut verbinden
please-check-title = Bitte prüfen: { $title }
connect-lead-html = <strong>{ $product }</strong> bittet um Zugriff auf Ihr { $app }-Konto.
connect-lead-of-html = <strong>{ $product }</strong>, ein Produkt von <strong>{ $tenant }</strong>, bittet um Zugriff auf Ihr { $app }-Konto.
please-check = Bitte prüfen Sie Ihre Eingaben.
where-to-find-in = Wo das in { $app } zu finden ist
where-to-find-field = Wo das zu finden ist: { $field }
show-secret = { $field } anzeigen
hide-secret = { $field } verbergen
show = Anzeigen
hide = Verbergen
fact-sign-in-html = Sie melden sich bei <strong>{ $host }</strong> an und werden dort um Ihre Zustimmung gebeten.
fact-password = Ihr Passwort bleibt dort. Weder diese Seite noch { $product } bekommt es zu sehen.
fact-stored = Ihre Eingaben werden verschlüsselt gespeichert. { $product } nutzt sie, um für Sie mit { $app } zu arbeiten.
fact-client-of-html = Verbunden wird über den OAuth-Client von <strong>{ $organization }</strong>.
fact-name-html = In { $product } heißt die Verbindung <strong>{ $name }</strong>.
permissions = Berechtigungen im Einzelnen
can = Damit kann { $product }
whose-html = Verbunden wird mit dem Konto von <strong>{ $customer }</strong> bei { $tenant }. Fahren Sie nur fort, wenn das Ihr Konto ist.
whose-ascii-html = Verbunden wird mit dem Konto von <strong>{ $customer }</strong> (<code>{ $ascii }</code>) bei { $tenant }. Fahren Sie nur fort, wenn das Ihr Konto ist.
continue-to = Weiter zu { $app }
connect = Verbinden
reconnect = Erneut verbinden
other-option = Stattdessen: { $option }
choose-another-app = Andere App auswählen

## The first of an organization enters its OAuth client

last-attempt-failed = Der letzte Versuch ist fehlgeschlagen.
last-attempt-advice = { $problem }. Prüfen Sie den Client und was für ihn eingetragen ist, und geben Sie sein Secret noch einmal ein.
setup-note = { $organization } verbindet { $app } über einen eigenen OAuth-Client, und Sie sind die erste Person. Geben Sie ihn hier ein: Alle anderen von { $organization } kommen danach direkt weiter.
redirect-uri = Redirect-URI
redirect-uri-hint = Tragen Sie genau diese Adresse beim Client ein.
client-id = Client-ID
client-secret = Client-Secret
client-secret-known = Lassen Sie das Feld leer, um das zuvor eingegebene Secret zu verwenden.
client-secret-missing = Geben Sie das Secret dieses Clients ein.
client-not-printable = Erlaubt sind nur druckbare ASCII-Zeichen. Kopieren Sie den Wert noch einmal.

## How it ended

connected-title = { $app } ist verbunden
connected-text = Alles erledigt. Sie können dieses Fenster schließen und in { $product } weitermachen.
connected-account-html = Verbundenes Konto: <strong>{ $account }</strong>
client-stored-text = Alles erledigt. Der eingegebene OAuth-Client ist gespeichert: Alle anderen von { $organization } kommen direkt weiter und werden nie danach gefragt. Sie können dieses Fenster schließen und in { $product } weitermachen.
declined-title = { $app } wurde nicht verbunden
declined-text = Der Zugriff wurde nicht erlaubt, und nichts wurde geteilt. Sie können dieses Fenster schließen und zu { $product } zurückkehren.
declined-reason-text = Der Zugriff wurde nicht erlaubt, und nichts wurde geteilt. { $app } meldet: „{ $reason }“ Sie können dieses Fenster schließen und zu { $product } zurückkehren.
link-expired-title = Dieser Link ist abgelaufen
link-expired-text = Links gelten nur kurze Zeit und nur einmal. Kehren Sie zu { $product } zurück und beginnen Sie von vorn.
awaiting-title = { $app } ist noch nicht verbunden
awaiting-text = Der Zugriff wurde in einem anderen Browser erlaubt. { $product } muss ihn noch bestätigen, und zwar dort, wo Sie angemeldet sind.

## What went wrong

provider-failed-title = { $app } konnte nicht verbunden werden
provider-failed-text = { $app } hat die Anmeldung nicht abgeschlossen. Es wurde nichts geteilt. Bitte versuchen Sie es erneut.
other-account-title = Das ist ein anderes { $app }-Konto
other-account-text = { $problem } Es wurde nichts geändert.
other-account-named = Sie haben { $chosen } gewählt, die Verbindung „{ $name }“ ist aber für { $expected }. Versuchen Sie es erneut und wählen Sie { $expected }.
other-account-unnamed = Sie haben { $chosen } gewählt, die Verbindung „{ $name }“ ist aber für ein anderes Konto. Versuchen Sie es erneut und wählen Sie jenes.
something-missing-title = Es fehlt etwas
something-missing-text = Diesen Weg, sich zu verbinden, gibt es nicht. Bitte öffnen Sie den Link erneut und wählen Sie aus, was er anbietet.
too-many-attempts-title = Zu viele Versuche
too-many-attempts-text = Dieser Link nimmt keine weiteren an. Bitte kehren Sie dorthin zurück, wo Sie ihn gefunden haben, und beginnen Sie von vorn.
too-often-text = Bitte warten Sie eine Minute und laden Sie diese Seite dann neu.
incomplete-title = Das Konto konnte nicht verbunden werden
incomplete-text = Die App hat nicht alles Nötige mitgeteilt. Es wurde nichts geteilt. Bitte öffnen Sie den Link erneut.
not-set-up-title = Diese App ist noch nicht eingerichtet
not-set-up-text = Bitten Sie eine Person mit Administratorrechten in Ihrer Organisation, sie zuerst zu verbinden. Es wurde nichts geändert.
admin-first-title = { $app } ist noch nicht eingerichtet
admin-first-text = { $organization } verbindet { $app } über einen eigenen OAuth-Client, den eine Person mit Administratorrechten eingeben muss. Bitten Sie sie, die App zuerst zu verbinden, und öffnen Sie diesen Link danach erneut.
not-available-title = Zurzeit nicht verfügbar
not-available-text = Diese App kann im Moment nicht verbunden werden. Bitte informieren Sie das Produkt, das Sie hierher geschickt hat.
client-taken-title = Jemand anders war schneller
client-taken-text = { $organization } hat inzwischen einen OAuth-Client für { $app }, den gerade jemand anders eingegeben hat. Ihr Client wird nicht verwendet, und was damit erlaubt wurde, wird zurückgezogen. Fahren Sie fort, um sich mit dem vorhandenen zu verbinden.
admin-link-expired-text = Es wurde nichts geändert. Fordern Sie dort, wo Sie den Link gefunden haben, einen neuen an.
admin-link-taken-title = Dieser Link wurde in einem anderen Browser geöffnet
admin-link-taken-text = Er funktioniert nur in dem Browser, der ihn zuerst öffnet. Fordern Sie dort, wo Sie ihn gefunden haben, einen neuen an.
unknown-link-title = Diesen Link gibt es nicht
unknown-link-text = Bitte prüfen Sie, ob die Adresse vollständig ist, oder kehren Sie dorthin zurück, wo Sie sie gefunden haben, und beginnen Sie von vorn.
foreign-form-title = Bitte öffnen Sie den Link erneut
foreign-form-text = Dieses Formular wurde nicht aus diesem Browser gesendet, oder Ihr Browser speichert keine Cookies. Es wurde nichts geändert.
unknown-sign-in-title = Diese Seite gehört nicht zu Ihrem Browser
unknown-sign-in-text = Die Anmeldung wurde in einem anderen Browser oder vor langer Zeit begonnen, oder Ihr Browser speichert keine Cookies. Wenn Sie gerade ein Konto verbunden haben, ist alles in Ordnung, und Sie können dieses Fenster schließen. Öffnen Sie sonst den Link erneut.
not-a-visit-title = Bitte öffnen Sie diese Seite in einem eigenen Fenster
not-a-visit-text = Sie wurde im Voraus oder aus einer anderen Seite heraus geladen. Es wurde nichts geändert.
under-way-title = Einen Moment
under-way-text = Das Konto wird gerade verbunden. Diese Seite geht von selbst weiter.
failed-title = Etwas ist schiefgegangen
failed-text = Der Fehler liegt bei uns. Bitte versuchen Sie es gleich noch einmal.
unavailable-title = Bitte versuchen Sie es gleich noch einmal
unavailable-text = Der Dienst ist gerade nicht verfügbar. Bitte laden Sie diese Seite neu.

link-error-access-denied = Der Zugriff wurde nicht erlaubt
link-error-link-expired = Der Link ist abgelaufen, bevor der Zugriff erlaubt wurde
link-error-app-not-configured = Die App hat keinen OAuth-Client, der verwendet werden kann
link-error-provider-refused = Der Anbieter hat Sie mit einem Fehler zurückgeschickt
link-error-invalid-response = Der Anbieter hat Sie weder mit einem Code noch mit einem Fehler zurückgeschickt
link-error-issuer-mismatch = Die Antwort kam von einem anderen Aussteller als dem der App
link-error-authorization-code-refused = Der Anbieter hat den Autorisierungscode nicht angenommen
link-error-client-refused = Der Anbieter hat den OAuth-Client dieser App nicht angenommen
link-error-provider-unavailable = Der Anbieter hat auf die Token-Anfrage keine brauchbare Antwort gegeben
link-error-required-value-missing = Der Anbieter hat einen Wert nicht mitgeteilt, den Aufrufe seiner API brauchen
link-error-account-not-verified = Der Anbieter hat das Konto nicht bestätigt, mit dem der Browser zurückkam
link-error-account-changed = Es wurde ein anderes Konto gewählt als das, für das die Verbindung ist
link-error-oauth-client-taken = Jemand anders aus der Organisation hat gleichzeitig einen anderen OAuth-Client eingegeben

## What is wrong with a field

field-unknown = Dieses Feld gibt es nicht.
field-required = Bitte ausfüllen: { $field }.
field-too-long = { $field } ist zu lang: höchstens { $max } Zeichen.
field-characters = { $field } enthält Zeichen, die nicht verwendet werden können.
field-choose = Wählen Sie einen der Werte für { $field }.
field-subdomain = { $field } darf nur der Name sein: Buchstaben, Ziffern und Bindestriche.
field-host-suffix = { $field } muss ein Name sein, der so endet: { $suffixes }
field-host = { $field } muss der Name eines Hosts sein, etwa app.example.com.
field-segment = { $field } darf nur aus Buchstaben, Ziffern und den Zeichen . _ ~ - bestehen.
field-uuid = { $field } muss eine ID sein wie 123e4567-e89b-12d3-a456-426614174000.
field-private-key = { $field } muss ein vollständiger privater Schlüssel in PEM sein, mit der ersten und letzten Zeile.
field-email = { $field } muss eine E-Mail-Adresse sein.
field-https = { $field } muss eine Adresse sein, die mit https:// beginnt
field-plain-address = { $field } muss eine Adresse ohne Benutzername, Passwort, Abfrage und Fragment sein.
field-internet-address = { $field } muss eine Adresse im Internet sein.
not-accepted = { $app } nimmt das nicht an. Prüfen Sie Ihre Eingaben und versuchen Sie es erneut.
token-not-accepted = { $app } nimmt dieses Token nicht an.
refreshed-token-not-accepted = { $app } nimmt das Zugriffstoken nicht an, das es für dieses Token ausgestellt hat.

## An organization's OAuth clients

clients-title = OAuth-Clients von { $organization }
clients-lead-html = <strong>{ $tenant }</strong> verbindet damit Apps für alle von { $organization }.
clients-none = Es gibt noch keinen. Die erste Person, die eine App verbindet, wird danach gefragt.
client-entered-by = Eingegeben von { $person } am { $date }.
client-connections = Davon abhängige Verbindungen: { $connections }.
new-client-secret = Neues Client-Secret
new-client-secret-hint = Das gespeicherte wird nie angezeigt. Ein neues Secret desselben Clients beendet nichts.
client-warning = Wenn Sie die Zugangsdaten nach einer erfolgreichen Verbindung ändern, werden bestehende Sitzungen aller Personen der Organisation ungültig. Ändern Sie diese Werte nur, wenn es sicher nötig ist, zum Beispiel weil die Anwendung neu registriert wurde.
client-confirm =
    { $connections ->
        [0] Ein anderer Client oder keiner: Mit diesem ist niemand verbunden.
        [one] Alle müssen sich neu verbinden: Eine Verbindung endet.
       *[other] Alle müssen sich neu verbinden: { $connections } Verbindungen enden.
    }
save = Speichern
client-remove = Client entfernen
client-gone = { $app } hat keinen OAuth-Client mehr.
client-removed = Der OAuth-Client für { $app } ist entfernt. Beendete Verbindungen: { $connections }.
client-secret-stored = Das neue Secret für { $app } ist gespeichert. Keine Verbindung wurde beendet.
client-replaced = Der neue OAuth-Client für { $app } ist gespeichert. Alle müssen sich erneut verbinden.
client-secret-refused = { $app } nimmt dieses Secret nicht an. Es wurde nichts geändert.
client-unconfirmed = Bestätigen Sie es hier. Nichts wurde geändert.

## What a permission lets a product do

scope-mail-modify = Ihre E-Mails lesen, schreiben, senden und ordnen
scope-mail-read-write = Ihre E-Mails lesen, schreiben und ordnen
scope-mail-send = E-Mails in Ihrem Namen senden
scope-calendar = Ihre Kalender und Termine sehen und ändern
scope-files-all = alle Ihre Dateien sehen und ändern
scope-files-opened = die Dateien sehen und ändern, die Sie damit öffnen
scope-spreadsheets = Ihre Tabellen sehen und ändern
scope-email-address = Ihre E-Mail-Adresse sehen
scope-profile = Ihren Namen und Ihr Bild sehen
scope-stay-connected = verbunden bleiben, während Sie abwesend sind
scope-contacts-read = Kontakte sehen
scope-contacts-write = Kontakte hinzufügen und ändern
scope-crm-records = alle Datensätze Ihres CRM sehen und ändern
scope-users-read = die Personen Ihrer Organisation sehen
scope-chat-write = Nachrichten senden
scope-channels-read = die Liste der Kanäle sehen
scope-repositories = Ihre Repositorys sehen und ändern
scope-posts-write = Beiträge und Kommentare in Ihrem Namen veröffentlichen
scope-issues-read = Projekte und Vorgänge sehen
scope-issues-write = Vorgänge hinzufügen und ändern
scope-orders-read = Bestellungen sehen
scope-products-read = Produkte sehen
scope-customers-read = Kundinnen und Kunden sehen
scope-accounting = Ihre Buchhaltung sehen und ändern
scope-api = dort alles nutzen, was auch Sie nutzen dürfen

## Texts of built-in apps. Each stands in the place of the catalogue's own where that is the English one.

sign-in-with = Mit { $name } anmelden
title-api-key = API-Schlüssel
title-api-token = API-Token
title-personal-access-token = Persönliches Zugriffstoken
title-personal-api-token = Persönliches API-Token
title-private-api-key = Privater API-Schlüssel
title-private-app-token = Token einer privaten App
title-secret-key = Geheimer Schlüssel
title-restricted-key = Eingeschränkter Schlüssel
title-region = Region
title-subdomain = Subdomain
title-email = E-Mail-Adresse
title-email-and-api-token = E-Mail-Adresse und API-Token
title-company-domain = Domain des Unternehmens
title-api-url = API-Adresse
app-activecampaign = Kontakte, Deals und Automatisierungen.
app-airtable = Bases, Tabellen und Datensätze.
app-asana = Aufgaben und Projekte.
app-bamboohr = Mitarbeitende und Abwesenheiten.
app-brevo = E-Mail- und SMS-Kampagnen.
app-calendly = Termintypen und Buchungen.
app-clio = Akten, Kontakte und Rechnungen einer Kanzlei.
app-discord = Server und Nachrichten.
app-dropbox = Dateien speichern und teilen.
app-freshdesk = Tickets und Kontakte.
app-github = Repositorys, Issues und Pull-Requests.
app-gitlab = Projekte, Issues und Merge-Requests.
app-gmail = E-Mails lesen und senden.
app-gohighlevel = Kontakte, Unterhaltungen und Pipelines eines Unterkontos.
app-google-calendar = Kalender und Termine lesen und bearbeiten.
app-google-drive = Dateien speichern und teilen.
app-google-sheets = Tabellen lesen und bearbeiten.
app-hubspot = Kontakte, Unternehmen und Deals.
app-insightly = Kontakte, Projekte und Verkaufschancen.
app-intercom = Unterhaltungen und Kontakte.
app-jira = Vorgänge und Projekte in Jira Cloud.
app-klaviyo = Profile, Listen und Kampagnen.
app-linear = Issues und Projekte.
app-linkedin = Profile und Beiträge.
app-mailchimp = Zielgruppen und Kampagnen.
app-mailgun = E-Mails senden, empfangen und verfolgen.
app-microsoft-outlook = E-Mails, Kalender und Kontakte.
app-monday-crm = Boards, Elemente und Kontakte in monday.com.
app-notion = Seiten und Datenbanken.
app-openai = Sprach- und Bildmodelle.
app-pipedrive = Deals, Personen und Aktivitäten.
app-quickbooks = Rechnungen, Kunden und Zahlungen.
app-salesforce = Leads, Accounts und Opportunities.
app-sendgrid = E-Mails senden.
app-shopify = Produkte, Bestellungen und Kunden eines Shops.
app-slack = Nachrichten senden und Kanälen folgen.
app-stripe = Zahlungen, Kunden und Abonnements.
app-trello = Boards, Listen und Karten.
app-twilio = Textnachrichten und Anrufe.
app-typeform = Formulare und Antworten.
app-xero = Rechnungen, Kontakte und Bankbuchungen.
app-zendesk = Tickets und Personen.
app-zoho-crm = Leads, Kontakte und Deals.
app-zoom = Meetings und Aufzeichnungen.

# Ce que lisent les clients, en français.

## Words

the-account = Le compte
the-organization = L’organisation
another-account = un autre compte
optional = (facultatif)
try-again = Réessayer
go-back = Retour
go-on = Continuer
cancel = Annuler
one-or-other = { $one } ou { $other }

## The time that is left

page-works-for = { $minutes ->
    [0] Cette page est encore valable moins d’une minute.
    [one] Cette page est encore valable une minute.
   *[other] Cette page est encore valable { $minutes } minutes.
}
admin-page-works-for = Cette page est valable dix minutes, dans ce navigateur.

## The picker

picker-title = Choisissez une application à connecter
picker-lead-html = <strong>{ $product }</strong> fonctionne avec chacune d’elles.
picker-lead-of-html = <strong>{ $product }</strong>, un produit de <strong>{ $tenant }</strong>, fonctionne avec chacune d’elles.
picker-search = Rechercher une application
picker-search-button = Rechercher
picker-none = Aucune application ne s’appelle « { $search } ».
picker-all = Afficher toutes les applications

## Consent, and the form

connect-title = Connecter { $app }
reconnect-title = Reconnecter { $app }
please-check-title = À vérifier : { $title }
connect-lead-html = <strong>{ $product }</strong> demande l’accès à votre compte { $app }.
connect-lead-of-html = <strong>{ $product }</strong>, un produit de <strong>{ $tenant }</strong>, demande l’accès à votre compte { $app }.
please-check = Veuillez vérifier votre saisie.
where-to-find-in = Où le trouver dans { $app }
where-to-find-field = Où le trouver : { $field }
show-secret = Afficher { $field }
hide-secret = Masquer { $field }
show = Afficher
hide = Masquer
fact-sign-in-html = Vous vous connectez sur <strong>{ $host }</strong>, qui vous demande ensuite votre accord.
fact-password = Votre mot de passe reste là-bas. Ni cette page ni { $product } ne le voit.
fact-stored = Votre saisie est enregistrée sous forme chiffrée. { $product } s’en sert pour travailler avec { $app } en votre nom.
fact-client-of-html = La connexion passe par le client OAuth de <strong>{ $organization }</strong>.
fact-name-html = Vous la retrouverez dans { $product } sous le nom <strong>{ $name }</strong>.
permissions = Autorisations en détail
can = Ainsi, { $product } peut
whose-html = La connexion sera rattachée au compte de <strong>{ $customer }</strong> chez { $tenant }. Ne continuez que s’il s’agit de votre compte.
whose-ascii-html = La connexion sera rattachée au compte de <strong>{ $customer }</strong> (<code>{ $ascii }</code>) chez { $tenant }. Ne continuez que s’il s’agit de votre compte.
continue-to = Continuer vers { $app }
connect = Connecter
reconnect = Reconnecter
other-option = Autre possibilité : { $option }
choose-another-app = Choisir une autre application

## The first of an organization enters its OAuth client

last-attempt-failed = La dernière tentative a échoué.
last-attempt-advice = { $problem }. Vérifiez le client et ce qui est enregistré pour lui, puis saisissez de nouveau son secret.
setup-note = { $organization } connecte { $app } avec son propre client OAuth, et vous êtes la première personne. Saisissez-le ici : toutes les autres personnes de { $organization } passeront ensuite directement.
redirect-uri = URI de redirection
redirect-uri-hint = Enregistrez exactement cette adresse pour le client.
client-id = ID client
client-secret = Secret client
client-secret-known = Laissez ce champ vide pour garder celui que vous avez déjà saisi.
client-secret-missing = Saisissez le secret de ce client.
client-not-printable = Seuls les caractères ASCII imprimables sont acceptés. Copiez la valeur encore une fois.

## How it ended

connected-title = { $app } : connexion établie
connected-text = C’est terminé. Vous pouvez fermer cette fenêtre et continuer dans { $product }.
connected-account-html = Compte connecté : <strong>{ $account }</strong>
client-stored-text = C’est terminé. Le client OAuth que vous avez saisi est enregistré : toutes les autres personnes de { $organization } passent directement, sans qu’il leur soit demandé. Vous pouvez fermer cette fenêtre et continuer dans { $product }.
declined-title = { $app } : aucune connexion
declined-text = L’accès n’a pas été donné et rien n’a été partagé. Vous pouvez fermer cette fenêtre et revenir à { $product }.
declined-reason-text = L’accès n’a pas été donné et rien n’a été partagé. { $app } indique : « { $reason } » Vous pouvez fermer cette fenêtre et revenir à { $product }.
link-expired-title = Ce lien a expiré
link-expired-text = Les liens sont valables peu de temps et une seule fois. Revenez à { $product } et recommencez.
awaiting-title = { $app } : pas encore de connexion
awaiting-text = L’accès a été donné dans un autre navigateur. { $product } doit encore le confirmer, là où vous êtes connecté.

## What went wrong

provider-failed-title = Impossible de connecter { $app }
provider-failed-text = { $app } n’a pas terminé l’identification. Rien n’a été partagé. Veuillez réessayer.
other-account-title = Il s’agit d’un autre compte { $app }
other-account-text = { $problem } Rien n’a été modifié.
other-account-named = Vous avez choisi { $chosen }, mais la connexion « { $name } » est prévue pour { $expected }. Réessayez et choisissez { $expected }.
other-account-unnamed = Vous avez choisi { $chosen }, mais la connexion « { $name } » est prévue pour un autre compte. Réessayez et choisissez celui-là.
something-missing-title = Il manque quelque chose
something-missing-text = Cette façon de se connecter n’existe pas. Veuillez rouvrir le lien et choisir parmi ce qu’il propose.
too-many-attempts-title = Trop de tentatives
too-many-attempts-text = Ce lien n’en accepte plus. Veuillez revenir là où vous l’avez trouvé et recommencer.
too-often-text = Veuillez attendre une minute, puis recharger cette page.
incomplete-title = Impossible de connecter le compte
incomplete-text = L’application n’a pas fourni tout le nécessaire. Rien n’a été partagé. Veuillez rouvrir le lien.
not-set-up-title = Cette application n’est pas encore configurée
not-set-up-text = Demandez à un administrateur de votre organisation de la connecter d’abord. Rien n’a été modifié.
admin-first-title = { $app } n’est pas encore configuré
admin-first-text = { $organization } connecte { $app } avec son propre client OAuth, qu’un administrateur doit saisir. Demandez-lui de connecter d’abord l’application, puis rouvrez ce lien.
not-available-title = Indisponible pour le moment
not-available-text = Cette application ne peut pas être connectée pour le moment. Veuillez prévenir le produit qui vous a envoyé ici.
client-taken-title = Quelqu’un vous a devancé
client-taken-text = { $organization } a désormais un client OAuth pour { $app }, que quelqu’un d’autre vient de saisir. Le vôtre n’est pas utilisé, et l’accès accordé avec lui est retiré. Continuez pour vous connecter avec le client existant.
admin-link-expired-text = Rien n’a été modifié. Demandez un nouveau lien là où vous l’avez trouvé.
admin-link-taken-title = Ce lien a été ouvert dans un autre navigateur
admin-link-taken-text = Il ne fonctionne que dans le premier navigateur qui l’ouvre. Demandez un nouveau lien là où vous l’avez trouvé.
unknown-link-title = Ce lien n’existe pas
unknown-link-text = Veuillez vérifier que l’adresse est complète, ou revenir là où vous l’avez trouvée et recommencer.
foreign-form-title = Veuillez rouvrir le lien
foreign-form-text = Ce formulaire n’a pas été envoyé depuis ce navigateur, ou votre navigateur ne garde pas les cookies. Rien n’a été modifié.
unknown-sign-in-title = Cette page n’appartient pas à votre navigateur
unknown-sign-in-text = L’identification a commencé dans un autre navigateur ou il y a longtemps, ou votre navigateur ne garde pas les cookies. Si vous venez de connecter un compte, tout va bien et vous pouvez fermer cette fenêtre. Sinon, rouvrez le lien.
not-a-visit-title = Veuillez ouvrir cette page dans sa propre fenêtre
not-a-visit-text = Elle a été chargée à l’avance ou depuis une autre page. Rien n’a été modifié.
under-way-title = Un instant
under-way-text = Le compte est en cours de connexion. Cette page continue d’elle-même.
failed-title = Une erreur s’est produite
failed-text = La faute est de notre côté. Veuillez réessayer dans un instant.
unavailable-title = Veuillez réessayer dans un instant
unavailable-text = Le service n’est pas disponible pour le moment. Veuillez recharger cette page.

link-error-access-denied = L’accès n’a pas été donné
link-error-link-expired = Le lien a expiré avant que l’accès soit donné
link-error-app-not-configured = L’application n’a aucun client OAuth utilisable
link-error-provider-refused = Le fournisseur vous a renvoyé avec une erreur
link-error-invalid-response = Le fournisseur vous a renvoyé sans code ni erreur
link-error-issuer-mismatch = La réponse vient d’un autre émetteur que celui de l’application
link-error-authorization-code-refused = Le fournisseur n’a pas accepté le code d’autorisation
link-error-client-refused = Le fournisseur n’a pas accepté le client OAuth de cette application
link-error-provider-unavailable = Le fournisseur n’a pas donné de réponse exploitable à la demande de jeton
link-error-required-value-missing = Le fournisseur n’a pas donné une valeur dont son API a besoin
link-error-account-not-verified = Le fournisseur n’a pas confirmé le compte avec lequel le navigateur est revenu
link-error-account-changed = Un autre compte a été choisi que celui pour lequel la connexion est prévue
link-error-oauth-client-taken = Quelqu’un d’autre de l’organisation a saisi un autre client OAuth en même temps

## What is wrong with a field

field-unknown = Ce champ n’existe pas.
field-required = Champ obligatoire : { $field }.
field-too-long = { $field } : trop long, { $max } caractères au maximum.
field-characters = { $field } contient des caractères inutilisables.
field-choose = Choisissez une des valeurs de { $field }.
field-subdomain = { $field } doit être le nom seul : lettres, chiffres et tirets.
field-host-suffix = { $field } doit être un nom qui se termine par { $suffixes }
field-host = { $field } doit être le nom d’un hôte, par exemple app.example.com.
field-segment = { $field } n’accepte que des lettres, des chiffres et les caractères . _ ~ -
field-uuid = { $field } doit être un identifiant comme 123e4567-e89b-12d3-a456-426614174000.
field-private-key = { $field } doit être une clé privée au format PEM, entière, avec sa première et sa dernière ligne.
field-email = { $field } doit être une adresse e-mail.
field-https = { $field } doit être une adresse qui commence par https://
field-plain-address = { $field } doit être une adresse sans nom d’utilisateur, mot de passe, requête ni fragment.
field-internet-address = { $field } doit être une adresse sur Internet.
not-accepted = { $app } n’accepte pas cette saisie. Vérifiez-la et réessayez.
token-not-accepted = { $app } n’accepte pas ce jeton.
refreshed-token-not-accepted = { $app } n’accepte pas le jeton d’accès qu’il a délivré pour celui-ci.

## An organization's OAuth clients

clients-title = Clients OAuth de { $organization }
clients-lead-html = <strong>{ $tenant }</strong> connecte avec eux les applications de toutes les personnes de { $organization }.
clients-none = Il n’y en a aucun. Il sera demandé à la première personne qui connecte une application.
client-entered-by = Saisi par { $person } le { $date }.
client-connections = Connexions qui en dépendent : { $connections }.
new-client-secret = Nouveau secret client
new-client-secret-hint = Celui qui est enregistré n’est jamais affiché. Un nouveau secret du même client ne met fin à rien.
client-warning = Modifier les identifiants après une connexion réussie invalide les sessions de toutes les personnes de l’organisation. Ne modifiez ces valeurs que si c’est vraiment nécessaire, par exemple si l’application a été enregistrée de nouveau.
client-confirm =
    { $connections ->
        [0] Un autre client, ou aucun : personne n’est connecté avec celui-ci.
        [one] Tout le monde devra se reconnecter : une connexion prend fin.
       *[other] Tout le monde devra se reconnecter : { $connections } connexions prennent fin.
    }
save = Enregistrer
client-remove = Supprimer le client
client-gone = { $app } n’a plus de client OAuth.
client-removed = Le client OAuth de { $app } est supprimé. Connexions terminées : { $connections }.
client-secret-stored = Le nouveau secret de { $app } est enregistré. Aucune connexion n’a pris fin.
client-replaced = Le nouveau client OAuth de { $app } est enregistré. Toutes les personnes doivent se reconnecter.
client-secret-refused = { $app } n’accepte pas ce secret. Rien n’a été modifié.
client-unconfirmed = Confirmez-le ici. Rien n’a été modifié.

## What a permission lets a product do

scope-mail-modify = lire, écrire, envoyer et classer vos e-mails
scope-mail-read-write = lire, écrire et classer vos e-mails
scope-mail-send = envoyer des e-mails en votre nom
scope-calendar = voir et modifier vos agendas et événements
scope-files-all = voir et modifier tous vos fichiers
scope-files-opened = voir et modifier les fichiers que vous ouvrez avec lui
scope-spreadsheets = voir et modifier vos feuilles de calcul
scope-email-address = voir votre adresse e-mail
scope-profile = voir votre nom et votre photo
scope-stay-connected = rester connecté en votre absence
scope-contacts-read = voir les contacts
scope-contacts-write = ajouter et modifier des contacts
scope-crm-records = voir et modifier tous les enregistrements de votre CRM
scope-users-read = voir les personnes de votre organisation
scope-chat-write = envoyer des messages
scope-channels-read = voir la liste des canaux
scope-repositories = voir et modifier vos dépôts
scope-posts-write = publier des posts et des commentaires en votre nom
scope-issues-read = voir les projets et les tickets
scope-issues-write = ajouter et modifier des tickets
scope-orders-read = voir les commandes
scope-products-read = voir les produits
scope-customers-read = voir les clients
scope-accounting = voir et modifier votre comptabilité
scope-api = utiliser là-bas tout ce que vous pouvez utiliser vous-même

## Texts of built-in apps. Each stands in the place of the catalogue's own where that is the English one.

sign-in-with = Se connecter avec { $name }
title-api-key = Clé d’API
title-api-token = Jeton d’API
title-personal-access-token = Jeton d’accès personnel
title-personal-api-token = Jeton d’API personnel
title-private-api-key = Clé d’API privée
title-private-app-token = Jeton d’application privée
title-secret-key = Clé secrète
title-restricted-key = Clé restreinte
title-region = Région
title-subdomain = Sous-domaine
title-email = Adresse e-mail
title-email-and-api-token = Adresse e-mail et jeton d’API
title-company-domain = Domaine de l’entreprise
title-api-url = URL de l’API
app-activecampaign = Contacts, affaires et automatisations.
app-airtable = Bases, tables et enregistrements.
app-asana = Tâches et projets.
app-bamboohr = Employés et congés.
app-brevo = Campagnes par e-mail et SMS.
app-calendly = Types d’événements et réservations.
app-clio = Dossiers, contacts et factures d’un cabinet d’avocats.
app-discord = Serveurs et messages.
app-dropbox = Stocker et partager des fichiers.
app-freshdesk = Tickets et contacts.
app-github = Dépôts, issues et pull requests.
app-gitlab = Projets, issues et merge requests.
app-gmail = Lire et envoyer des e-mails.
app-gohighlevel = Contacts, conversations et pipelines d’un sous-compte.
app-google-calendar = Lire et modifier des agendas et des événements.
app-google-drive = Stocker et partager des fichiers.
app-google-sheets = Lire et modifier des feuilles de calcul.
app-hubspot = Contacts, entreprises et affaires.
app-insightly = Contacts, projets et opportunités.
app-intercom = Conversations et contacts.
app-jira = Tickets et projets de Jira Cloud.
app-klaviyo = Profils, listes et campagnes.
app-linear = Tickets et projets.
app-linkedin = Profils et publications.
app-mailchimp = Audiences et campagnes.
app-mailgun = Envoyer, recevoir et suivre des e-mails.
app-microsoft-outlook = E-mails, agendas et contacts.
app-monday-crm = Tableaux, éléments et contacts de monday.com.
app-notion = Pages et bases de données.
app-openai = Modèles de langage et d’image.
app-pipedrive = Affaires, personnes et activités.
app-quickbooks = Factures, clients et paiements.
app-salesforce = Pistes, comptes et opportunités.
app-sendgrid = Envoyer des e-mails.
app-shopify = Produits, commandes et clients d’une boutique.
app-slack = Envoyer des messages et suivre des canaux.
app-stripe = Paiements, clients et abonnements.
app-trello = Tableaux, listes et cartes.
app-twilio = SMS et appels.
app-typeform = Formulaires et réponses.
app-xero = Factures, contacts et opérations bancaires.
app-zendesk = Tickets et utilisateurs.
app-zoho-crm = Pistes, contacts et affaires.
app-zoom = Réunions et enregistrements.

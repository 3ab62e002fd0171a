# Lo que leen los clientes, en español.

## Words

the-account = La cuenta
the-organization = La organización
another-account = otra cuenta
optional = (opcional)
try-again = Volver a intentarlo
go-back = Volver
go-on = Continuar
cancel = Cancelar
one-or-other = { $one } o { $other }

## The time that is left

page-works-for = { $minutes ->
    [0] Esta página es válida durante menos de un minuto.
    [one] Esta página es válida durante un minuto más.
   *[other] Esta página es válida durante { $minutes } minutos más.
}
admin-page-works-for = Esta página es válida durante diez minutos, en este navegador.

## The picker

picker-title = Elige la app que quieres conectar
picker-lead-html = <strong>{ $product }</strong> puede trabajar con cualquiera de estas.
picker-lead-of-html = <strong>{ $product }</strong>, un producto de <strong>{ $tenant }</strong>, puede trabajar con cualquiera de estas.
picker-search = Buscar apps
picker-search-button = Buscar
picker-none = Ninguna app se llama «{ $search }».
picker-all = Mostrar todas las apps

## Consent, and the form

connect-title = Conectar { $app }
reconnect-title = Volver a conectar { $app }
please-check-title = Revisa los datos: { $title }
connect-lead-html = <strong>{ $product }</strong> solicita acceso a tu cuenta de { $app }.
connect-lead-of-html = <strong>{ $product }</strong>, un producto de <strong>{ $tenant }</strong>, solicita acceso a tu cuenta de { $app }.
please-check = Revisa los datos que has introducido.
where-to-find-in = Dónde encontrarlo en { $app }
where-to-find-field = Dónde encontrarlo: { $field }
show-secret = Mostrar { $field }
hide-secret = Ocultar { $field }
show = Mostrar
hide = Ocultar
fact-sign-in-html = Inicias sesión en <strong>{ $host }</strong>, que te pedirá tu consentimiento.
fact-password = Tu contraseña se queda allí. Ni esta página ni { $product } la ven.
fact-stored = Lo que introduces se guarda cifrado. { $product } lo usa para trabajar con { $app } en tu nombre.
fact-client-of-html = Se conecta con el cliente OAuth de <strong>{ $organization }</strong>.
fact-name-html = En { $product } la encontrarás como <strong>{ $name }</strong>.
permissions = Permisos en detalle
can = Con ello, { $product } puede
whose-html = Se conectará a la cuenta de <strong>{ $customer }</strong> en { $tenant }. Continúa solo si esa es tu cuenta.
whose-ascii-html = Se conectará a la cuenta de <strong>{ $customer }</strong> (<code>{ $ascii }</code>) en { $tenant }. Continúa solo si esa es tu cuenta.
continue-to = Continuar a { $app }
connect = Conectar
reconnect = Volver a conectar
other-option = En su lugar: { $option }
choose-another-app = Elegir otra app

## The first of an organization enters its OAuth client

last-attempt-failed = El último intento ha fallado.
last-attempt-advice = { $problem }. Comprueba el cliente y lo que está registrado para él, e introduce su secreto otra vez.
setup-note = { $organization } conecta { $app } con un cliente OAuth propio, y eres la primera persona. Introdúcelo aquí: las demás personas de { $organization } pasarán directamente.
redirect-uri = URI de redirección
redirect-uri-hint = Registra exactamente esta dirección en el cliente.
client-id = ID de cliente
client-secret = Secreto de cliente
client-secret-known = Déjalo vacío para usar el que introdujiste antes.
client-secret-missing = Introduce el secreto de este cliente.
client-not-printable = Debe estar formado por caracteres ASCII imprimibles. Cópialo otra vez.

## How it ended

connected-title = { $app }: conexión establecida
connected-text = Todo listo. Puedes cerrar esta ventana y continuar en { $product }.
connected-account-html = Cuenta conectada: <strong>{ $account }</strong>
client-stored-text = Todo listo. El cliente OAuth que has introducido está guardado: las demás personas de { $organization } pasarán directamente y nunca se les pedirá. Puedes cerrar esta ventana y continuar en { $product }.
declined-title = { $app }: no se ha conectado
declined-text = No se ha dado acceso y no se ha compartido nada. Puedes cerrar esta ventana y volver a { $product }.
declined-reason-text = No se ha dado acceso y no se ha compartido nada. { $app } dice: «{ $reason }» Puedes cerrar esta ventana y volver a { $product }.
link-expired-title = Este enlace ha caducado
link-expired-text = Los enlaces son válidos durante poco tiempo y una sola vez. Vuelve a { $product } y empieza de nuevo.
awaiting-title = { $app }: todavía sin conectar
awaiting-text = El acceso se ha dado en otro navegador. { $product } aún tiene que confirmarlo con la sesión iniciada allí.

## What went wrong

provider-failed-title = No se ha podido conectar { $app }
provider-failed-text = { $app } no ha completado el inicio de sesión. No se ha compartido nada. Vuelve a intentarlo.
other-account-title = Esta es otra cuenta de { $app }
other-account-text = { $problem } No se ha cambiado nada.
other-account-named = Has elegido { $chosen }, pero la conexión «{ $name }» es para { $expected }. Vuelve a intentarlo y elige { $expected }.
other-account-unnamed = Has elegido { $chosen }, pero la conexión «{ $name }» es para otra cuenta. Vuelve a intentarlo y elige esa.
something-missing-title = Falta algo
something-missing-text = Esta forma de conectar no existe. Abre el enlace de nuevo y elige entre lo que muestra.
too-many-attempts-title = Demasiados intentos
too-many-attempts-text = Este enlace no admite más. Vuelve a donde lo encontraste y empieza de nuevo.
too-often-text = Espera un minuto y vuelve a cargar esta página.
incomplete-title = No se ha podido conectar la cuenta
incomplete-text = La app no ha dado todo lo necesario. No se ha compartido nada. Abre el enlace de nuevo.
not-set-up-title = Esta app aún no está configurada
not-set-up-text = Pide a un administrador de tu organización que la conecte primero. No se ha cambiado nada.
admin-first-title = { $app }: aún sin configurar
admin-first-text = { $organization } conecta { $app } con un cliente OAuth propio, que debe introducir un administrador. Pídele que la conecte primero y después abre este enlace de nuevo.
not-available-title = No disponible en este momento
not-available-text = Esta app no se puede conectar por ahora. Avisa al producto que te ha enviado aquí.
client-taken-title = Otra persona se ha adelantado
client-taken-text = { $organization } ya tiene un cliente OAuth para { $app }, que otra persona acaba de introducir. El tuyo no se usa, y el acceso que se dio con él se retira. Continúa para conectar con el existente.
admin-link-expired-text = No se ha cambiado nada. Pide uno nuevo donde lo encontraste.
admin-link-taken-title = Este enlace se ha abierto en otro navegador
admin-link-taken-text = Solo funciona en el primer navegador que lo abre. Pide uno nuevo donde lo encontraste.
unknown-link-title = Este enlace no existe
unknown-link-text = Comprueba que la dirección esté completa, o vuelve a donde la encontraste y empieza de nuevo.
foreign-form-title = Abre el enlace de nuevo
foreign-form-text = Este formulario no se envió desde este navegador, o tu navegador no guarda cookies. No se ha cambiado nada.
unknown-sign-in-title = Esta página no pertenece a tu navegador
unknown-sign-in-text = El inicio de sesión empezó en otro navegador o hace mucho tiempo, o tu navegador no guarda cookies. Si acabas de conectar una cuenta, todo está bien y puedes cerrar esta ventana. Si no, abre el enlace de nuevo.
not-a-visit-title = Abre esta página en una ventana propia
not-a-visit-text = Se cargó por adelantado o desde dentro de otra página. No se ha cambiado nada.
under-way-title = Un momento
under-way-text = La cuenta se está conectando. Esta página continúa por sí sola.
failed-title = Algo ha salido mal
failed-text = Es culpa nuestra. Vuelve a intentarlo en un momento.
unavailable-title = Vuelve a intentarlo en un momento
unavailable-text = El servicio no está disponible en este momento. Vuelve a cargar esta página.

link-error-access-denied = No se dio acceso
link-error-link-expired = El enlace caducó antes de que se diera acceso
link-error-app-not-configured = La app no tiene ningún cliente OAuth que se pueda usar
link-error-provider-refused = El proveedor te devolvió con un error
link-error-invalid-response = El proveedor te devolvió sin código y sin error
link-error-issuer-mismatch = La respuesta vino de otro emisor que el de la app
link-error-authorization-code-refused = El proveedor no aceptó el código de autorización
link-error-client-refused = El proveedor no aceptó el cliente OAuth de esta app
link-error-provider-unavailable = El proveedor no dio una respuesta utilizable a la solicitud del token
link-error-required-value-missing = El proveedor no dio un valor que necesitan las llamadas a su API
link-error-account-not-verified = El proveedor no confirmó la cuenta con la que volvió el navegador
link-error-account-changed = Se eligió otra cuenta que aquella para la que es la conexión
link-error-oauth-client-taken = Otra persona de la organización introdujo otro cliente OAuth al mismo tiempo

## What is wrong with a field

field-unknown = Este campo no existe.
field-required = Falta este dato: { $field }.
field-too-long = { $field }: demasiado largo, como máximo { $max } caracteres.
field-characters = { $field } contiene caracteres que no se pueden usar.
field-choose = Elige uno de los valores de { $field }.
field-subdomain = { $field } debe ser solo el nombre: letras, cifras y guiones.
field-host-suffix = { $field } debe ser un nombre que termine en { $suffixes }
field-host = { $field } debe ser el nombre de un host, como app.example.com.
field-segment = { $field } solo admite letras, cifras y los caracteres . _ ~ -
field-uuid = { $field } debe ser un identificador como 123e4567-e89b-12d3-a456-426614174000.
field-private-key = { $field } debe ser una clave privada en PEM, completa, con su primera y su última línea.
field-email = { $field } debe ser una dirección de correo electrónico.
field-https = { $field } debe ser una dirección que empiece por https://
field-plain-address = { $field } debe ser una dirección sin nombre de usuario, contraseña, consulta ni fragmento.
field-internet-address = { $field } debe ser una dirección de internet.
not-accepted = { $app } no acepta estos datos. Revisa lo que has introducido y vuelve a intentarlo.
token-not-accepted = { $app } no acepta este token.
refreshed-token-not-accepted = { $app } no acepta el token de acceso que emitió a partir de este.

## An organization's OAuth clients

clients-title = Clientes OAuth de { $organization }
clients-lead-html = <strong>{ $tenant }</strong> conecta con ellos las apps de todas las personas de { $organization }.
clients-none = No hay ninguno. Se le pedirá a la primera persona que conecte una app.
client-entered-by = Introducido por { $person } el { $date }.
client-connections = Conexiones que dependen de él: { $connections }.
new-client-secret = Nuevo secreto de cliente
new-client-secret-hint = El que está guardado nunca se muestra. Un secreto nuevo del mismo cliente no termina nada.
client-warning = Si cambias las credenciales después de una conexión correcta, las sesiones de todas las personas de la organización dejarán de ser válidas. Cambia estos valores solo si es realmente necesario, por ejemplo, si la aplicación se ha registrado de nuevo.
client-confirm =
    { $connections ->
        [0] Otro cliente, o ninguno: nadie está conectado con este.
        [one] Todos tienen que volver a conectarse: termina una conexión.
       *[other] Todos tienen que volver a conectarse: terminan { $connections } conexiones.
    }
save = Guardar
client-remove = Eliminar el cliente
client-gone = { $app } ya no tiene ningún cliente OAuth.
client-removed = El cliente OAuth de { $app } se ha quitado. Conexiones terminadas: { $connections }.
client-secret-stored = El nuevo secreto de { $app } está guardado. No ha terminado ninguna conexión.
client-replaced = El nuevo cliente OAuth de { $app } está guardado. Todas las personas deben volver a conectar.
client-secret-refused = { $app } no acepta este secreto. No se ha cambiado nada.
client-unconfirmed = Confírmalo aquí. No se ha cambiado nada.

## What a permission lets a product do

scope-mail-modify = leer, escribir, enviar y ordenar tu correo
scope-mail-read-write = leer, escribir y ordenar tu correo
scope-mail-send = enviar correo en tu nombre
scope-calendar = ver y cambiar tus calendarios y eventos
scope-files-all = ver y cambiar todos tus archivos
scope-files-opened = ver y cambiar los archivos que abras con él
scope-spreadsheets = ver y cambiar tus hojas de cálculo
scope-email-address = ver tu dirección de correo
scope-profile = ver tu nombre y tu foto
scope-stay-connected = seguir conectado cuando no estés
scope-contacts-read = ver los contactos
scope-contacts-write = añadir y cambiar contactos
scope-crm-records = ver y cambiar todos los registros de tu CRM
scope-users-read = ver las personas de tu organización
scope-chat-write = enviar mensajes
scope-channels-read = ver la lista de canales
scope-repositories = ver y cambiar tus repositorios
scope-posts-write = publicar entradas y comentarios en tu nombre
scope-issues-read = ver proyectos e incidencias
scope-issues-write = añadir y cambiar incidencias
scope-orders-read = ver los pedidos
scope-products-read = ver los productos
scope-customers-read = ver los clientes
scope-accounting = ver y cambiar tu contabilidad
scope-api = usar allí todo lo que tú puedes usar

## Texts of built-in apps. Each stands in the place of the catalogue's own where that is the English one.

sign-in-with = Iniciar sesión con { $name }
title-api-key = Clave de API
title-api-token = Token de API
title-personal-access-token = Token de acceso personal
title-personal-api-token = Token de API personal
title-private-api-key = Clave de API privada
title-private-app-token = Token de app privada
title-secret-key = Clave secreta
title-restricted-key = Clave restringida
title-region = Región
title-subdomain = Subdominio
title-email = Correo electrónico
title-email-and-api-token = Correo electrónico y token de API
title-company-domain = Dominio de la empresa
title-api-url = URL de la API
app-activecampaign = Contactos, negocios y automatizaciones.
app-airtable = Bases, tablas y registros.
app-asana = Tareas y proyectos.
app-bamboohr = Empleados y ausencias.
app-brevo = Campañas de correo y SMS.
app-calendly = Tipos de evento y reservas.
app-clio = Asuntos, contactos y facturas de un bufete.
app-discord = Servidores y mensajes.
app-dropbox = Guardar y compartir archivos.
app-freshdesk = Tickets y contactos.
app-github = Repositorios, issues y pull requests.
app-gitlab = Proyectos, issues y merge requests.
app-gmail = Leer y enviar correo.
app-gohighlevel = Contactos, conversaciones y embudos de una subcuenta.
app-google-calendar = Leer y editar calendarios y eventos.
app-google-drive = Guardar y compartir archivos.
app-google-sheets = Leer y editar hojas de cálculo.
app-hubspot = Contactos, empresas y negocios.
app-insightly = Contactos, proyectos y oportunidades.
app-intercom = Conversaciones y contactos.
app-jira = Incidencias y proyectos de Jira Cloud.
app-klaviyo = Perfiles, listas y campañas.
app-linear = Issues y proyectos.
app-linkedin = Perfiles y publicaciones.
app-mailchimp = Audiencias y campañas.
app-mailgun = Enviar, recibir y seguir correos.
app-microsoft-outlook = Correo, calendarios y contactos.
app-monday-crm = Tableros, elementos y contactos de monday.com.
app-notion = Páginas y bases de datos.
app-openai = Modelos de lenguaje y de imagen.
app-pipedrive = Negocios, personas y actividades.
app-quickbooks = Facturas, clientes y pagos.
app-salesforce = Leads, cuentas y oportunidades.
app-sendgrid = Enviar correo.
app-shopify = Productos, pedidos y clientes de una tienda.
app-slack = Enviar mensajes y seguir canales.
app-stripe = Pagos, clientes y suscripciones.
app-trello = Tableros, listas y tarjetas.
app-twilio = Mensajes de texto y llamadas.
app-typeform = Formularios y respuestas.
app-xero = Facturas, contactos y movimientos bancarios.
app-zendesk = Tickets y usuarios.
app-zoho-crm = Leads, contactos y negocios.
app-zoom = Reuniones y grabaciones.

import { authOptions, submit } from './connect-browser.mjs';

const outcome = document.querySelector('#outcome');
const list = document.querySelector('#options');

/** A link works once and for some minutes: each list of forms has one of its own. */
async function start() {
  const response = await fetch('/api/link', { method: 'POST' });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const link = await response.json();
  const options = await authOptions(link);
  list.replaceChildren(...options.map((option) => formOf(link, option)));
}

/** One form for each way to connect each app. */
function formOf(link, option) {
  const form = element('form', { noValidate: true }, element('h2', { textContent: option.appName }));
  if (option.description) form.append(element('p', { textContent: option.description }));
  const required = new Set(option.inputSchema.required);
  for (const [name, field] of Object.entries(option.inputSchema.properties)) {
    form.append(row(`${option.appId}-${option.authOptionKey}-${name}`, name, field, required.has(name)));
  }
  form.append(element('button', { textContent: option.title }));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    showErrors(form, {});
    outcome.textContent = 'Connecting …';
    const fields = Object.fromEntries(new FormData(form));
    // Directly in the click: for OAuth it opens a window.
    submit(link, { ...option, fields }, {
      onSuccess: (_connectionId, { account }) => {
        outcome.textContent = `${option.appName} is connected${account?.label ? ` as ${account.label}` : ''}.`;
        list.replaceChildren();
      },
      onExit: (reason) => {
        outcome.textContent = `Not connected: ${reason}.`;
        if (reason !== 'closed') start().catch(failed);
      },
      onError: ({ message, fields: errors }) => {
        outcome.textContent = errors ? 'Please check what you entered.' : message;
        showErrors(form, errors ?? {});
      },
    });
  });
  return form;
}

function row(id, name, field, required) {
  const input = field.oneOf
    ? element('select', {}, ...field.oneOf.map(({ const: value, title }) => element('option', { value, textContent: title })))
    : element('input', { type: field.format === 'password' ? 'password' : 'text', autocomplete: 'off' });
  Object.assign(input, { id, name, required });
  input.value = field.default ?? input.value;
  input.setAttribute('aria-describedby', `${id}-error`);
  const label = element('label', { htmlFor: id, textContent: field.title });
  const hint = element('small', { textContent: field.description ?? '' });
  return element('p', {}, label, input, hint, element('span', { id: `${id}-error`, className: 'error' }));
}

/** The platform's sentences, each below its field. */
function showErrors(form, errors) {
  for (const input of form.querySelectorAll('input, select')) {
    const error = errors[input.name] ?? '';
    input.setAttribute('aria-invalid', String(error !== ''));
    document.getElementById(`${input.id}-error`).textContent = error;
  }
}

/** Text goes in as text alone: what the catalogue says is no HTML. */
function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function failed(error) {
  outcome.textContent = `It does not work right now: ${error.message}`;
}

start().catch(failed);

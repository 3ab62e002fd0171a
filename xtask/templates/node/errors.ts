// Classes and codes of errors.
// {{ generated }}
import { PabblyConnectError, named } from '../error.js';

/** Every code that this version knows: the service's, and the SDK's own for errors that no answer caused. */
export type ErrorCode =
{% for class in errors %}
{% set last = loop.last %}
{% for code in class.codes %}
  /** {{ code.doc }} */
  | '{{ code.code }}'{{ ";" if last and loop.last }}
{% endfor %}
{% endfor %}
{% for class in errors if class.class != "PabblyConnectError" %}

{{ class.doc | jsdoc(0) }}
export class {{ class.class }} extends PabblyConnectError {
  static {
    named(this, '{{ class.class }}');
  }
}
{% endfor %}

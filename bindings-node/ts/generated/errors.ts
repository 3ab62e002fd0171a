// Classes and codes of errors.
// Generated from core/manifest.yaml by `cargo xtask generate`; do not edit.
import { PabblyConnectError, named } from '../error.js';

/** Every code that this version knows: the service's, and the SDK's own for errors that no answer caused. */
export type ErrorCode =
  /** The grant was revoked or has expired: run the connect flow again. */
  | 'needs_reconnection'
  /** The tenant key is missing, unknown or revoked. */
  | 'invalid_api_key'
  /** The tenant key lacks the capability. */
  | 'capability_disabled'
  /** The connection is unknown, or not yours. */
  | 'connection_deleted'
  /** The connection is in use and cannot be deleted. */
  | 'connection_in_use'
  /** The cursor is older than the events that are kept. */
  | 'cursor_expired'
  /** The x-user-email header is missing or invalid. */
  | 'invalid_user_email'
  /** The budget is used up: wait for Retry-After. */
  | 'rate_limited'
  /** The provider or the service is unavailable: retry later. */
  | 'upstream_unavailable'
  /** The wait ended while the connection was still pending. */
  | 'wait_timeout'
  /** No complete answer arrived in time. */
  | 'timeout'
  /** The service could not be reached, or the connection broke. */
  | 'network_error'
  /** A successful answer could not be understood. */
  | 'decode_error'
  /** The caller cancelled the call. */
  | 'cancelled'
  /** The webhook has no `webhook-id`, `webhook-timestamp` or `webhook-signature`. */
  | 'missing_header'
  /** No signature of the webhook was made with any of the secrets. */
  | 'bad_signature'
  /** The webhook was signed more than five minutes ago. */
  | 'too_old'
  /** The webhook was signed more than five minutes in the future. */
  | 'too_new'
  /** The webhook's headers or its body are not what the contract says. */
  | 'malformed_webhook'
  /** A value was refused before anything was sent. */
  | 'invalid_argument'
  /** The request does not fit the contract; the message says where. */
  | 'invalid_request'
  /** The catalogue has no such app. */
  | 'app_not_found'
  /** The service has no such address: check the base URL. */
  | 'not_found'
  /** The address does not take this method. */
  | 'method_not_allowed'
  /** The service does not take MCP from this host or origin. */
  | 'origin_not_allowed'
  /** The tenant has no such key, or it has ended. */
  | 'key_not_found'
  /** The tenant, or the organization, has no OAuth client of its own for the app. */
  | 'oauth_client_not_found'
  /** The keys are not in the state that the step needs; the message says why. */
  | 'rotation_conflict'
  /** The connection is not active: it has no credential to vend. */
  | 'connection_not_active'
  /** Neither the tenant nor the operator has entered an OAuth client for this app. */
  | 'app_not_configured'
  /** The request's body is too large. */
  | 'payload_too_large'
  /** The request's body is not JSON. */
  | 'unsupported_media_type'
  /** The Idempotency-Key was used before with another body. */
  | 'idempotency_key_reused'
  /** The service failed. */
  | 'internal_error'
  /** The provider broke a proxied call off, and may have carried it out. */
  | 'provider_no_response'
  /** The provider did not answer a proxied call in time, and may have carried it out. */
  | 'provider_timeout';

/** The customer's grant was revoked or has expired: send the customer through the connect flow again. */
export class NeedsReconnectionError extends PabblyConnectError {
  static {
    named(this, 'NeedsReconnectionError');
  }
}

/** The tenant key is missing, unknown or revoked. */
export class AuthenticationError extends PabblyConnectError {
  static {
    named(this, 'AuthenticationError');
  }
}

/** The tenant key lacks the capability that this call needs. */
export class CapabilityDisabledError extends PabblyConnectError {
  static {
    named(this, 'CapabilityDisabledError');
  }
}

/** The connection does not exist, or is not this tenant's and customer's. */
export class ConnectionDeletedError extends PabblyConnectError {
  static {
    named(this, 'ConnectionDeletedError');
  }
}

/** The connection cannot be deleted while something uses it. */
export class ConnectionInUseError extends PabblyConnectError {
  static {
    named(this, 'ConnectionInUseError');
  }
}

/**
 * The cursor is older than the events that are kept: read the state of your connections anew, and go on from
 * `oldestCursor`.
 */
export class CursorExpiredError extends PabblyConnectError {
  static {
    named(this, 'CursorExpiredError');
  }
}

/** The customer's e-mail is missing or malformed. */
export class InvalidUserEmailError extends PabblyConnectError {
  static {
    named(this, 'InvalidUserEmailError');
  }
}

/** The tenant's budget of requests is used up: wait for `retryAfter`. */
export class RateLimitedError extends PabblyConnectError {
  static {
    named(this, 'RateLimitedError');
  }
}

/** The provider or the service is briefly unavailable, also after the retries. */
export class UpstreamUnavailableError extends PabblyConnectError {
  static {
    named(this, 'UpstreamUnavailableError');
  }
}

/**
 * A wait's own deadline passed while the connection was still pending; `connection` is what a poll last saw of it, if
 * one did.
 */
export class WaitTimeoutError extends PabblyConnectError {
  static {
    named(this, 'WaitTimeoutError');
  }
}

/** No complete answer arrived in time. */
export class TimeoutError extends PabblyConnectError {
  static {
    named(this, 'TimeoutError');
  }
}

/** The service could not be reached, or the connection broke before the answer was complete. */
export class NetworkError extends PabblyConnectError {
  static {
    named(this, 'NetworkError');
  }
}

/** A successful answer could not be understood. */
export class DecodeError extends PabblyConnectError {
  static {
    named(this, 'DecodeError');
  }
}

/** The caller cancelled the call. (In Rust a call is cancelled by dropping its future, so this is for bindings.) */
export class CancelledError extends PabblyConnectError {
  static {
    named(this, 'CancelledError');
  }
}

/** A request is no webhook of yours: respond with 400, and do nothing that it says. The code tells why. */
export class WebhookVerificationError extends PabblyConnectError {
  static {
    named(this, 'WebhookVerificationError');
  }
}

/** An argument, option or setting was refused before anything was sent. */
export class InvalidArgumentError extends PabblyConnectError {
  static {
    named(this, 'InvalidArgumentError');
  }
}

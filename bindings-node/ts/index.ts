// The package's surface.
export { PabblyConnectError, type ErrorDetails, type ErrorResponse } from './error.js';
export { PabblyConnectPlatform, type Customer } from './generated/client.js';
export * from './generated/errors.js';
export * from './generated/models.js';
export type { EventFeed } from './feed.js';
export type {
  CallOptions,
  ConnectionChanges,
  EventsQuery,
  ImportedCredential,
  LinkRequest,
  ListAppsQuery,
  ListConnectionsQuery,
  PromoteKeyRequest,
  ProxyRequest,
  RotateKeyRequest,
  Settings,
  SubmittedForm,
  TokenOptions,
  WaitOptions,
} from './generated/options.js';
export type { Hooks, Logger, Poll } from './hooks.js';
export type { List } from './list.js';
export { proxyFetch, type Pairs, type ProxyBody, type ProxyFetchOptions } from './proxy.js';
export * as webhooks from './webhooks.js';
export { Token, type ApiRequest, type FieldsToken, type OAuthToken } from './token.js';

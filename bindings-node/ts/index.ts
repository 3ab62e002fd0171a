// The package's surface.
export { PabblyConnectPlatform, type AppPage, type ConnectionPage } from './client.js';
export type { Customer } from './customer.js';
export { PabblyConnectError, type ErrorDetails, type ErrorResponse } from './error.js';
export * from './generated/errors.js';
export * from './generated/models.js';
export type { RequestLink } from './link.js';
export type { List } from './list.js';
export type {
  CallOptions,
  Hooks,
  LinkRequest,
  ListAppsQuery,
  ListConnectionsQuery,
  Logger,
  Poll,
  Settings,
  WaitOptions,
} from './options.js';
export type { FieldsToken, OAuthToken, Token } from './token.js';

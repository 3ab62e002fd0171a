/**
 * Opens Pabbly Connect's hosted page for the person in front of the browser, and tells how it ended.
 *
 * Nothing here touches the browser before `open` or `resume` is called, so that a server can import it.
 */
export { open } from './open.js';
export { resume } from './resume.js';
export type {
  Account,
  ConnectDetails,
  ConnectError,
  ConnectEvent,
  ConnectFailure,
  ConnectHandle,
  ConnectOptions,
  ConnectOutcome,
  ConnectRequest,
  ConnectRequestSource,
  ExitReason,
  LinkValues,
  Operation,
  RequestLinkAnswer,
} from './types.js';

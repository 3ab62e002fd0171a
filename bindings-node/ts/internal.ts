// What the package's entry points share, in one file, so that a process has one of everything. Users cannot import it.
export * as index from './index.js';
export { asyncDispose, Caller } from './caller.js';
export { EventFeed } from './feed.js';
export { here } from './failure.js';
export { PabblyConnectPlatform } from './generated/client.js';
export { List } from './list.js';

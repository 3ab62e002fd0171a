// What a bundle for browsers gets instead of the SDK: the errors, and a client that refuses to start.
export { PabblyConnectError } from './error.js';
export * from './generated/errors.js';

export class PabblyConnectPlatform {
  constructor() {
    throw new Error(
      '@pabbly/connect-platform does not run in a browser: the tenant key and the vended tokens belong to your ' +
        'backend, and everybody could read them here. Call it from your server; in the page use pabbly-connect.js ' +
        'with the request_link, request_token and connection_id that your server made.',
    );
  }
}

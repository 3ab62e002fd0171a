// A bundle for browsers holds no native library and no Node code, and its client refuses to start and says why.
import assert from 'node:assert/strict';
import { runInNewContext } from 'node:vm';
import { build } from 'esbuild';
import { folder } from './support.mjs';

for (const code of [
  "import { PabblyConnectPlatform, RateLimitedError } from '@pabbly/connect-platform'; globalThis.sdk = { PabblyConnectPlatform, RateLimitedError };",
  "globalThis.sdk = require('@pabbly/connect-platform');",
]) {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: `${folder}tests` }, bundle: true, platform: 'browser', write: false, logLevel: 'error',
  });
  const page = {};
  runInNewContext(outputFiles[0].text, page);
  assert.throws(() => new page.sdk.PabblyConnectPlatform({ apiKey: 'pk_live_x' }), /does not run in a browser: the tenant key/);
  assert.equal(new page.sdk.RateLimitedError('slow').name, 'RateLimitedError');
  assert.ok(outputFiles[0].text.length < 12_000);
}

// A bundle for a server leaves the native library where it is, and works.
const { outputFiles } = await build({
  stdin: { contents: "module.exports = require('@pabbly/connect-platform')", resolveDir: `${folder}tests` },
  bundle: true, platform: 'node', write: false, external: ['@pabbly/connect-platform-*'], logLevel: 'error',
});
assert.match(outputFiles[0].text, /@pabbly\/connect-platform-linux-x64-gnu/);
console.log('  a browser bundle refuses to start and says why');

// Loads the native library: from the package of this platform, or in a checkout from beside dist/.
import type * as Native from './generated/native.js';

type Library = typeof Native;

const platform = `${process.platform}-${process.arch}`;
const failures: NodeJS.ErrnoException[] = [];
const failed = (error: unknown) => void failures.push(error as NodeJS.ErrnoException);

// Each package is named in a `try` of its own, so that bundlers and file tracers see it and get along without it.
function installed(): Library | undefined {
  switch (platform) {
    case 'linux-x64':
      try { return require('@pabbly/connect-platform-linux-x64-gnu'); } catch (error) { failed(error); }
      try { return require('@pabbly/connect-platform-linux-x64-musl'); } catch (error) { failed(error); }
      return undefined;
    case 'linux-arm64':
      try { return require('@pabbly/connect-platform-linux-arm64-gnu'); } catch (error) { failed(error); }
      try { return require('@pabbly/connect-platform-linux-arm64-musl'); } catch (error) { failed(error); }
      return undefined;
    case 'darwin-x64':
      try { return require('@pabbly/connect-platform-darwin-x64'); } catch (error) { return failed(error); }
    case 'darwin-arm64':
      try { return require('@pabbly/connect-platform-darwin-arm64'); } catch (error) { return failed(error); }
    case 'win32-x64':
      try { return require('@pabbly/connect-platform-win32-x64-msvc'); } catch (error) { return failed(error); }
    case 'win32-arm64':
      try { return require('@pabbly/connect-platform-win32-arm64-msvc'); } catch (error) { return failed(error); }
    default:
      return undefined;
  }
}

function checkedOut(): Library | undefined {
  for (const libc of ['', '-gnu', '-musl', '-msvc']) {
    try { return require(`${__dirname}/../connect-platform.${platform}${libc}.node`); } catch (error) { failed(error); }
  }
  return undefined;
}

function load(): Library {
  const library = installed() ?? checkedOut();
  if (library) return library;
  throw new Error(
    `@pabbly/connect-platform has no native library for ${platform} here. It comes in an optional package: install ` +
      'without --omit=optional, on the platform where it runs, and let bundlers leave @pabbly/* external.',
    // A library that does not load says more than one that is not there.
    { cause: failures.find((error) => error.code !== 'MODULE_NOT_FOUND') ?? failures[0] },
  );
}

export const native: Library = load();

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';

const consumer = new URL('../consumer/', import.meta.url);
const installed = new URL('node_modules/@pabbly/connect-browser/', consumer);

/** The value of an expression in a fresh Node, where there is no browser. */
function onServer(kind: 'module' | 'commonjs', code: string): unknown {
  const output = execFileSync(process.execPath, [`--input-type=${kind}`, '--eval', code], { cwd: consumer });
  return JSON.parse(output.toString());
}

const render = `
  const html = renderToString(createElement(ConnectButton, { request: () => fetch('/link'), className: 'big' }, 'Connect'));
  console.log(JSON.stringify(html));
`;
const button = '<button type="button" aria-busy="false" class="big">Connect</button>';

describe('the package', () => {
  it('is smaller than 3.5 KB, the whole ESM file gzipped', () => {
    const bytes = gzipSync(readFileSync(new URL('dist/pabbly-connect.mjs', installed)), { level: 9 }).length;
    console.log(`pabbly-connect.mjs: ${bytes} bytes gzipped`);
    expect(bytes).toBeLessThan(3500);
  });

  it('keeps the part for forms of your own smaller than 4 KB', () => {
    const bytes = gzipSync(readFileSync(new URL('dist/custom.mjs', installed)), { level: 9 }).length;
    console.log(`custom.mjs: ${bytes} bytes gzipped`);
    expect(bytes).toBeLessThan(4000);
  });

  it('has no dependencies', () => {
    const manifest = JSON.parse(readFileSync(new URL('package.json', installed), 'utf8'));
    expect(manifest.dependencies).toBeUndefined();
  });

  it('can be imported and required on a server', () => {
    const imported = `console.log(JSON.stringify(Object.keys(await import('@pabbly/connect-browser'))))`;
    expect(onServer('module', imported)).toEqual(['open', 'resume']);
    const required = `console.log(JSON.stringify(Object.keys(require('@pabbly/connect-browser'))))`;
    expect(onServer('commonjs', required)).toEqual(['open', 'resume']);
    const custom = '@pabbly/connect-browser/custom';
    const names = ['authOptions', 'submit'];
    expect(onServer('module', `console.log(JSON.stringify(Object.keys(await import('${custom}'))))`)).toEqual(names);
    expect(onServer('commonjs', `console.log(JSON.stringify(Object.keys(require('${custom}'))))`)).toEqual(names);
  });

  it('renders its React button on a server', () => {
    const imports = `
      import { createElement } from 'react';
      import { renderToString } from 'react-dom/server';
      import { ConnectButton } from '@pabbly/connect-browser/react';
    `;
    expect(onServer('module', imports + render)).toBe(button);
    const requires = `
      const { createElement } = require('react');
      const { renderToString } = require('react-dom/server');
      const { ConnectButton } = require('@pabbly/connect-browser/react');
    `;
    expect(onServer('commonjs', requires + render)).toBe(button);
  });

  it('leaves one global where a <script> loads it', () => {
    const page: Record<string, Record<string, unknown>> = createContext({});
    runInContext(readFileSync(new URL('dist/pabbly-connect.js', installed), 'utf8'), page);
    expect(Object.keys(page)).toEqual(['PabblyConnect']);
    expect(Object.keys(page.PabblyConnect ?? {})).toEqual(['open', 'resume']);
    runInContext(readFileSync(new URL('dist/custom.js', installed), 'utf8'), page);
    expect(Object.keys(page)).toEqual(['PabblyConnect']);
    expect(Object.keys(page.PabblyConnect ?? {})).toEqual(['open', 'resume', 'authOptions', 'submit']);
  });
});

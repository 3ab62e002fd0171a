import { defineConfig } from 'rolldown';

// For frameworks that render on a server: state and clicks are the browser's.
const banner = "'use client';";
const library = '@pabbly/connect-browser';

export default defineConfig([
  {
    input: 'src/pabbly-connect.ts',
    output: [
      { file: 'dist/pabbly-connect.mjs', format: 'esm', minify: true },
      // For <script>, AMD and require(): the global is the module's exports.
      { file: 'dist/pabbly-connect.js', format: 'umd', name: 'PabblyConnect', minify: true },
    ],
  },
  {
    // Whole in itself, so that the main file stays one file. Where a <script> loads it, it joins the same global.
    input: 'src/custom.ts',
    output: [
      { file: 'dist/custom.mjs', format: 'esm', minify: true },
      { file: 'dist/custom.js', format: 'umd', name: 'PabblyConnect', extend: true, minify: true },
    ],
  },
  {
    input: 'src/react.tsx',
    external: ['react', 'react/jsx-runtime', library],
    output: [
      { file: 'dist/react.mjs', format: 'esm', banner },
      { file: 'dist/react.js', format: 'cjs', banner },
    ],
  },
]);

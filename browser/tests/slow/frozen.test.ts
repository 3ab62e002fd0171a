import { describe } from 'vitest';
import { frozen } from '../browsers/frozen.js';

describe("chromium on a phone, the guide's page", () => frozen(61_000));

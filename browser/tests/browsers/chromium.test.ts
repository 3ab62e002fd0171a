import { describe } from 'vitest';
import { flows } from './flows.js';
import { frozen } from './frozen.js';
import { phone } from './phone.js';
import { withService } from './service.js';

describe('chromium', () => flows('chromium'));
describe('chromium on a phone', () => phone('chromium'));
describe("chromium on a phone, the guide's page", () => frozen(12_000));
describe('chromium with connect-service', () => withService('chromium'));

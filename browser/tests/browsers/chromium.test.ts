import { describe } from 'vitest';
import { devices, flows } from './flows.js';
import { withService } from './service.js';

describe('chromium', () => flows('chromium'));
describe('chromium on touch screens', () => devices('chromium'));
describe('chromium with connect-service', () => withService('chromium'));

import { describe } from 'vitest';
import { flows } from './flows.js';
import { phone } from './phone.js';
import { withService } from './service.js';

describe('firefox', () => flows('firefox'));
describe('firefox on a phone', () => phone('firefox'));
describe('firefox with connect-service', () => withService('firefox'));

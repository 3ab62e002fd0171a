import { describe } from 'vitest';
import { devices, flows } from './flows.js';
import { withService } from './service.js';

describe('firefox', () => flows('firefox'));
describe('firefox on touch screens', () => devices('firefox'));
describe('firefox with connect-service', () => withService('firefox'));

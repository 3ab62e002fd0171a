// The surface of `@pabbly/connect-platform/testing`: what tests of programs that use the SDK need.
export { EmulatorError, startEmulator, type Emulator, type EmulatorEnv, type EmulatorOptions } from './emulator.js';
export { fakeClient, type FakeCall, type FakeClient, type FakeResult, type FakeResults, type Method } from './fake.js';

// A new tenant key. Its text is read from the member and seen nowhere else: printing, serialising, cloning or spreading the
// object leaves it out.
import type { RotatedKey } from './generated/models.js';

export function rotatedKey(wire: RotatedKey): RotatedKey {
  const { api_key } = wire;
  return Object.defineProperty(wire, 'api_key', { get: () => api_key, enumerable: false });
}

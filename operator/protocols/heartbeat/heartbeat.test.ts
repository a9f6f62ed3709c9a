import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { spec } from '../../../testing/spec.ts';
import { pageFor } from './claims.ts';
import { MAX_TAKEN, NO_EXTENSIONS } from './extension.ts';
import { decodeHeartbeat, encodeHeartbeat, type Heartbeat, MAX_HEARTBEAT_LENGTH } from './heartbeat.ts';
import { nodeIdOf } from './node-id.ts';

const KEY = new Uint8Array(32).fill(7);
const OTHER_KEY = new Uint8Array(32).fill(8);
const uint = (max: number) => fc.integer({ min: 0, max });

const entry = {
  nodeId: uint(2 ** 32 - 1),
  incarnation: uint(2 ** 32 - 1),
  sequence: uint(2 ** 16 - 1),
  ready: fc.boolean(),
};
const heartbeats: fc.Arbitrary<Heartbeat> = fc.record(
  {
    node: fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,252}$/),
    incarnation: fc.maxSafeNat(),
    sequence: fc.maxSafeNat(),
    algorithmVersion: fc.integer({ min: 1, max: 255 }),
    intervalMs: uint(65_535),
    ready: fc.boolean(),
    leaving: fc.boolean(),
    slow: fc.boolean(),
    readsExtensions: fc.boolean(),
    heard: fc.array(
      fc.record(
        { ...entry, leavingSeen: fc.boolean(), alive: fc.boolean(), algorithmVersion: uint(31) },
        { noNullPrototype: true },
      ),
      { maxLength: 120 },
    ),
    relayed: fc.array(
      fc.record({ ...entry, leaving: fc.boolean(), algorithmVersion: uint(255) }, { noNullPrototype: true }),
      { maxLength: 20 },
    ),
    taken: fc.array(uint(2 ** 32 - 1), { maxLength: 64 }),
  },
  { noNullPrototype: true },
);
const seal = (heartbeat: Heartbeat, key = KEY) =>
  Uint8Array.from(encodeHeartbeat(heartbeat, key, new Uint8Array(MAX_HEARTBEAT_LENGTH)));
const receipt = { incarnation: 5, sequence: 6, leavingSeen: true, alive: true, ready: true, algorithmVersion: 1 };
const word = { incarnation: 7, sequence: 8, leaving: false, ready: true, algorithmVersion: 2 };
const example: Heartbeat = {
  node: 'node-a',
  incarnation: 1_790_000_000_000,
  sequence: 42,
  algorithmVersion: 1,
  intervalMs: 100,
  ready: true,
  leaving: false,
  slow: false,
  readsExtensions: true,
  heard: [{ nodeId: nodeIdOf('node-b'), ...receipt }],
  relayed: [{ nodeId: nodeIdOf('node-c'), ...word }],
  taken: [1, 2 ** 32 - 1],
};

spec('heartbeat codec', (test) => {
  test('reads back what it writes', () => {
    fc.assert(fc.property(heartbeats, (heartbeat) => assert.equal(decodeHeartbeat(seal(heartbeat), [KEY]), heartbeat)));
  });
  test('believes either key of a rotation, and no third', () => {
    assert.equal(decodeHeartbeat(seal(example, OTHER_KEY), [KEY, OTHER_KEY]), example);
    assert.is(decodeHeartbeat(seal(example, new Uint8Array(32)), [KEY, OTHER_KEY]), 'BadSeal');
    assert.is(decodeHeartbeat(seal(example), []), 'BadSeal');
  });
  test('refuses a datagram of which any octet was changed', () => {
    fc.assert(
      fc.property(heartbeats, fc.nat(), fc.integer({ min: 1, max: 255 }), (heartbeat, where, flip) => {
        const datagram = seal(heartbeat);
        const at = where % datagram.length;
        datagram[at] = (datagram[at] ?? 0) ^ flip;
        assert.type(decodeHeartbeat(datagram, [KEY]), 'string');
      }),
    );
  });
  test('refuses a datagram cut anywhere', () => {
    const whole = seal(example);
    for (let length = 0; length < whole.length; length++)
      assert.type(decodeHeartbeat(whole.subarray(0, length), [KEY]), 'string', `${length} octets`);
  });
  test('answers random octets with a reason and never throws', () => {
    const head = fc.constantFrom<number[]>([], [0x48, 0x52, 0x4c, 0x44, 1], [0x48, 0x52, 0x4c, 0x44, 3]);
    fc.assert(
      fc.property(head, fc.uint8Array({ maxLength: 300 }), (start, rest) =>
        assert.type(decodeHeartbeat(Uint8Array.of(...start, ...rest), [KEY]), 'string'),
      ),
      { numRuns: 2000 },
    );
  });
  test('answers a well sealed body of any shape without throwing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 23, maxLength: 300 }), (rest) => {
        const sealed = seal({ ...example, heard: [] });
        // The seal is made over the mangled body by the codec's own rule: what a key holder of another build would send.
        const body = Uint8Array.of(...sealed.subarray(0, 5), ...rest);
        const hmac = createSeal(body);
        const decoded = decodeHeartbeat(Uint8Array.of(...body, ...hmac), [KEY]);
        assert.ok(decoded === 'Malformed' || typeof decoded === 'object', String(decoded));
      }),
      { numRuns: 1000 },
    );
  });
  test('leaves out for a former version what that does not read', () => {
    const base = Uint8Array.from(encodeHeartbeat(example, KEY, new Uint8Array(MAX_HEARTBEAT_LENGTH), 'Base'));
    assert.is(base[4], 1);
    // The layout of version 1: nothing stands between the receipts and the seal.
    assert.is(base.length, 28 + 'node-a'.length + 11 + 32);
    assert.equal(decodeHeartbeat(base, [KEY]), { ...example, ...NO_EXTENSIONS });
  });
  test('skips a field of a later version, and refuses one that is cut or stands there twice', () => {
    const plain = seal({ ...example, taken: [] });
    const body = plain.subarray(0, plain.length - 32);
    const sealed = (...more: number[]) => {
      const longer = Uint8Array.of(...body, ...more);
      return decodeHeartbeat(Uint8Array.of(...longer, ...createSeal(longer)), [KEY]);
    };
    assert.equal(sealed(99, 0, 2, 1, 1), { ...example, taken: [] });
    assert.is(sealed(99, 0, 2, 1), 'Malformed');
    assert.is(sealed(99, 0), 'Malformed');
    assert.is(sealed(2, 0, 3, 1, 1, 1), 'Malformed');
    assert.is(sealed(2, 0, 0, 2, 0, 0), 'Malformed');
  });
  test('names the reason', () => {
    assert.is(decodeHeartbeat(new Uint8Array(10), [KEY]), 'Truncated');
    assert.is(decodeHeartbeat(new Uint8Array(100), [KEY]), 'NotAHeartbeat');
    const newer = seal(example);
    newer[4] = 3;
    assert.is(decodeHeartbeat(newer, [KEY]), 'UnsupportedVersion');
  });
  test('of 100 peers fits into one Ethernet frame', () => {
    const heard = Array.from({ length: 100 }, (_, nodeId) => ({ nodeId, ...receipt }));
    const taken = Array.from({ length: MAX_TAKEN }, (_, id) => id);
    assert.ok(seal({ ...example, heard, taken }).length <= 1452); // 1500 less IPv6 and UDP headers
  });
  test('of 64 nodes with all that it may carry fits into one Ethernet frame, and is read back', () => {
    const heard = Array.from({ length: 63 }, (_, nodeId) => ({ nodeId, ...receipt }));
    const taken = Array.from({ length: MAX_TAKEN }, (_, id) => id);
    const claims = pageFor({ revision: 7, addresses: Array.from({ length: 200 }, (_, id) => id) }, 1);
    const full: Heartbeat = { ...example, node: 'n'.repeat(63), heard, taken, claims };
    assert.ok(seal(full).length <= 1452);
    assert.equal(decodeHeartbeat(seal(full), [KEY]), full);
  });
  test('of one of 1,000 nodes fits into one Ethernet frame, and is read back', () => {
    const many = (count: number) => Array.from({ length: count }, (_, id) => id);
    const heard = many(40).map((nodeId) => ({ nodeId, ...receipt }));
    const register = { incarnation: 2 ** 41, version: 3, ready: true, leaving: false, algorithmVersion: 1, lost: [7] };
    const registers = many(24).map((nodeId) => ({ nodeId, ...register }));
    const full: Heartbeat = { ...example, node: 'n'.repeat(63), heard, taken: many(MAX_TAKEN), registers };
    assert.ok(seal(full).length <= 1452);
    assert.equal(decodeHeartbeat(seal(full), [KEY]), full);
  });
  test('refuses a buffer that is too short', () => {
    assert.throws(() => encodeHeartbeat(example, KEY, new Uint8Array(50)), /octets into 50/);
  });
});

function createSeal(body: Uint8Array): Uint8Array {
  return createHmac('sha256', KEY).update('herald-speaker-heartbeat-v1').update(body).digest();
}

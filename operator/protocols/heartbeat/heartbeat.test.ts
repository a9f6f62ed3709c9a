import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { spec } from '../../../testing/spec.ts';
import { decodeHeartbeat, encodeHeartbeat, type Heartbeat, MAX_HEARTBEAT_LENGTH, nodeIdOf } from './heartbeat.ts';

const KEY = new Uint8Array(32).fill(7);
const OTHER_KEY = new Uint8Array(32).fill(8);
const uint = (max: number) => fc.integer({ min: 0, max });

const heartbeats: fc.Arbitrary<Heartbeat> = fc.record(
  {
    node: fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,252}$/),
    incarnation: fc.maxSafeNat(),
    sequence: fc.maxSafeNat(),
    algorithmVersion: fc.integer({ min: 1, max: 255 }),
    intervalMs: uint(65_535),
    ready: fc.boolean(),
    leaving: fc.boolean(),
    heard: fc.array(
      fc.record(
        {
          nodeId: uint(2 ** 32 - 1),
          incarnation: uint(2 ** 32 - 1),
          sequence: uint(2 ** 16 - 1),
          leavingSeen: fc.boolean(),
        },
        { noNullPrototype: true },
      ),
      { maxLength: 120 },
    ),
  },
  { noNullPrototype: true },
);
const seal = (heartbeat: Heartbeat, key = KEY) =>
  Uint8Array.from(encodeHeartbeat(heartbeat, key, new Uint8Array(MAX_HEARTBEAT_LENGTH)));
const example: Heartbeat = {
  node: 'node-a',
  incarnation: 1_790_000_000_000,
  sequence: 42,
  algorithmVersion: 1,
  intervalMs: 100,
  ready: true,
  leaving: false,
  heard: [{ nodeId: nodeIdOf('node-b'), incarnation: 5, sequence: 6, leavingSeen: true }],
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
    const head = fc.constantFrom<number[]>([], [0x48, 0x52, 0x4c, 0x44, 1], [0x48, 0x52, 0x4c, 0x44, 2]);
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
  test('names the reason', () => {
    assert.is(decodeHeartbeat(new Uint8Array(10), [KEY]), 'Truncated');
    assert.is(decodeHeartbeat(new Uint8Array(100), [KEY]), 'NotAHeartbeat');
    const newer = seal(example);
    newer[4] = 2;
    assert.is(decodeHeartbeat(newer, [KEY]), 'UnsupportedVersion');
  });
  test('of 100 peers fits into one Ethernet frame', () => {
    const heard = Array.from({ length: 100 }, (_, at) => ({
      nodeId: at,
      incarnation: 1,
      sequence: 1,
      leavingSeen: false,
    }));
    assert.ok(seal({ ...example, heard }).length <= 1452); // 1500 less IPv6 and UDP headers
  });
  test('refuses a buffer that is too short', () => {
    assert.throws(() => encodeHeartbeat(example, KEY, new Uint8Array(50)), /octets into 50/);
  });
});

function createSeal(body: Uint8Array): Uint8Array {
  return createHmac('sha256', KEY).update('herald-speaker-heartbeat-v1').update(body).digest();
}

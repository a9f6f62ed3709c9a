import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { spec } from '../../../testing/spec.ts';
import { macFromOctets } from '../../net/mac.ts';
import { decodeEthernet, encodeEthernet, isForStation } from './ethernet.ts';

const macs = fc.uint8Array({ minLength: 6, maxLength: 6 }).map(macFromOctets);
const frames = fc.record(
  {
    destination: macs,
    source: macs,
    etherType: fc.integer({ min: 0x600, max: 0xffff }),
    payload: fc.uint8Array({ minLength: 46, maxLength: 200 }),
  },
  { noNullPrototype: true },
);

spec('ethernet', (test) => {
  test('decodes what it encodes', () => {
    fc.assert(fc.property(frames, (frame) => assert.equal(decodeEthernet(encodeEthernet(frame)), frame)));
  });
  test('pads to 60 octets', () => {
    const padded = encodeEthernet({
      destination: 'ff:ff:ff:ff:ff:ff',
      source: '02:00:00:00:00:01',
      etherType: 0x0806,
      payload: Uint8Array.of(1, 2, 3),
    });
    assert.is(padded.length, 60);
    assert.is(Buffer.from(padded).toString('hex'), `ffffffffffff0200000000010806010203${'00'.repeat(43)}`);
  });
  test('reads nothing from less than a header', () => assert.is(decodeEthernet(new Uint8Array(13)), undefined));
  test('never throws on any octets', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (octets) => void decodeEthernet(octets)));
  });

  const rows: [destination: string, isOurs: boolean][] = [
    ['02:00:00:00:00:0a', true],
    ['02:00:00:00:00:0b', false],
    ['ff:ff:ff:ff:ff:ff', true],
    ['33:33:ff:00:00:10', true],
  ];
  for (const [destination, isOurs] of rows)
    test(`a frame to ${destination} is ${isOurs ? '' : 'not '}for 02:00:00:00:00:0a`, () => {
      const frame = { destination, source: '02:00:00:00:00:01', etherType: 0x0806, payload: new Uint8Array() };
      assert.is(isForStation(frame, '02:00:00:00:00:0a'), isOurs);
    });
});

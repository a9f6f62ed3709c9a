import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { spec } from '../../../testing/spec.ts';
import { formatIp, type IpAddress, parseIp } from '../../net/address.ts';
import { DETECTION, type DetectionEffect, type DetectionEvent, detection, step } from './duplicate-detection.ts';
import type { Icmpv6Packet } from './icmpv6.ts';
import { ALL_NODES, solicitedNodeGroup } from './multicast.ts';
import { decodeNeighborSolicitation, encodeNeighborAdvertisement, encodeNeighborSolicitation } from './ndp.ts';

const ip = (text: string): IpAddress => parseIp(text) as IpAddress;
const OURS = '02:00:00:00:00:0a';
const OTHER = '02:00:00:00:00:c1';
const CLAIMED = '02:00:00:00:00:c2';
const V6 = ip('2001:db8::10');
const nonceOf = (octet: number): Uint8Array => new Uint8Array(6).fill(octet);

/** Runs a detection for `V6`, each event after the other; returns its end and all effects. */
function run(events: readonly DetectionEvent[]) {
  let state = detection(V6, new Set([OURS]));
  const effects: DetectionEffect[] = [];
  for (const event of events) {
    const [next, more] = step(state, event);
    state = next;
    effects.push(...more);
  }
  return { state, effects, done: effects.filter(({ kind }) => kind === 'Done') };
}
const start = (random = 0): DetectionEvent => ({ kind: 'Start', random });
const timer = (octet = 1): DetectionEvent => ({ kind: 'TimerExpires', nonce: nonceOf(octet) });
const received = (packet: Icmpv6Packet, sender = OTHER): DetectionEvent => ({ kind: 'PacketReceived', packet, sender });
const packet = (type: number, body: Uint8Array, given: Partial<Icmpv6Packet> = {}): Icmpv6Packet => ({
  source: ip('::'),
  destination: solicitedNodeGroup(V6),
  hopLimit: 255,
  type,
  code: 0,
  body,
  ...given,
});
const solicitation = (given: Partial<Icmpv6Packet> = {}, nonce?: Uint8Array, target = V6): Icmpv6Packet =>
  packet(
    135,
    encodeNeighborSolicitation({ target, sourceLinkLayerAddress: undefined, ...(nonce && { nonce }) }),
    given,
  );
const advertisement = (
  given: Partial<Icmpv6Packet> = {},
  mac?: string,
  target = V6,
  solicited = false,
): Icmpv6Packet => {
  const read = { router: false, solicited, override: true, target, targetLinkLayerAddress: mac };
  return packet(136, encodeNeighborAdvertisement(read), { source: V6, destination: ALL_NODES, ...given });
};

spec('duplicate address detection', (test) => {
  test('solicits DupAddrDetectTransmits times, RetransTimer apart, after a short delay (RFC 4862 5.4, 5.4.2)', () => {
    const { effects, done, state } = run([start(0.5), timer(1), timer(2), timer(3), timer(4)]);
    const waits = effects.flatMap((effect) => (effect.kind === 'SetTimer' ? [effect.milliseconds] : []));
    assert.equal(waits, [100, 1000, 1000, 1000]);
    assert.is(effects.filter(({ kind }) => kind === 'Send').length, DETECTION.TRANSMITS);
    assert.equal(done, [{ kind: 'Done', holder: undefined }]);
    assert.is(state.phase, 'Free');
    assert.ok(DETECTION.MAX_DELAY + DETECTION.TRANSMITS * DETECTION.RETRANS_TIMER <= 5000);
  });
  test('asks from :: the solicited-node group, without a link-layer address (RFC 4862 5.4.2)', () => {
    const [sent] = run([start(), timer(7)]).effects.flatMap((effect) =>
      effect.kind === 'Send' ? [effect.packet] : [],
    );
    assert.is(
      sent && `${formatIp(sent.source)} ${formatIp(sent.destination)} ${sent.hopLimit}`,
      ':: ff02::1:ff00:10 255',
    );
    const read = sent && decodeNeighborSolicitation(sent.body);
    assert.equal(read, { target: V6, sourceLinkLayerAddress: undefined, nonce: nonceOf(7) });
  });

  const ofUs = solicitation({}, nonceOf(1));
  const rows: [name: string, event: DetectionEvent, holder: string | undefined][] = [
    ['an advertisement of the address (RFC 4862 5.4.4)', received(advertisement({}, CLAIMED)), CLAIMED],
    ['one without a link-layer address', received(advertisement()), OTHER],
    ['one that was forwarded (RFC 4861 7.1.2)', received(advertisement({ hopLimit: 64 })), undefined],
    ['one that is solicited by all (RFC 4861 7.1.2)', received(advertisement({}, CLAIMED, V6, true)), undefined],
    ['an advertisement of another address', received(advertisement({}, CLAIMED, ip('2001:db8::11'))), undefined],
    ['an advertisement of ours', received(advertisement({}, OURS), OURS), undefined],
    ["another's solicitation from :: (RFC 4862 5.4.3)", received(solicitation()), OTHER],
    [
      'a solicitation from an address (RFC 4862 5.4.3)',
      received(solicitation({ source: ip('2001:db8::1') })),
      undefined,
    ],
    ['a solicitation for another address', received(solicitation({}, undefined, ip('2001:db8::1:0:0:10'))), undefined],
    ['a solicitation that was forwarded (RFC 4861 7.1.1)', received(solicitation({ hopLimit: 64 })), undefined],
    ['one from :: to another group (RFC 4861 7.1.1)', received(solicitation({ destination: ALL_NODES })), undefined],
    ['our own, come back (RFC 4862 5.4.3)', received(ofUs, OURS), undefined],
    ['our own, come back under another MAC address (RFC 7527 4.2)', received(ofUs), undefined],
    ["another's with a nonce of its own (RFC 7527 4.2)", received(solicitation({}, nonceOf(9))), OTHER],
    ['another message', received(packet(134, new Uint8Array(24))), undefined],
    ['what cannot be read', received(packet(136, new Uint8Array(3))), undefined],
  ];
  for (const [name, event, holder] of rows)
    test(`sees ${holder ? 'a conflict' : 'no conflict'} in ${name}`, () => {
      const { done, state } = run([start(), timer(1), event]);
      assert.equal(done, holder ? [{ kind: 'Done', holder }] : []);
      assert.is(state.phase, holder ? 'Conflict' : 'Soliciting');
    });

  test('remembers the nonce of every solicitation (RFC 7527 4.1)', () => {
    for (const octet of [1, 2, 3])
      assert.equal(run([start(), timer(1), timer(2), timer(3), received(solicitation({}, nonceOf(octet)))]).done, []);
  });
  test('looks out from the beginning to the end (RFC 4862 5.4.2: also during the first delay)', () => {
    const all = [start(), timer(1), timer(2), timer(3)];
    for (let before = 0; before <= all.length; before++)
      assert.is(run([...all.slice(0, before), received(advertisement())]).state.phase, 'Conflict');
    assert.is(run([...all, timer(4), received(advertisement())]).state.phase, 'Free');
  });
  test('says one verdict, whatever comes in whatever order', () => {
    const events = fc.array(fc.constantFrom(start(), timer(), received(advertisement()), received(ofUs)));
    fc.assert(fc.property(events, (list) => assert.ok(run(list).done.length <= 1)));
  });
});

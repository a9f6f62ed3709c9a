import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { spec } from '../../../testing/spec.ts';
import { type IpAddress, parseIp } from '../../net/address.ts';
import type { ArpPacket } from './arp.ts';
import { ARP_PROBE, type ArpProbeEffect, type ArpProbeEvent, arpProbe, step } from './probe.ts';

const ip = (text: string): IpAddress => parseIp(text) as IpAddress;
const OURS = '02:00:00:00:00:0a';
const OUR_OTHER = '02:00:00:00:00:0b';
const OTHER = '02:00:00:00:00:c1';
const NONE = '00:00:00:00:00:00';
const V4 = ip('192.0.2.10');

/** Runs a probe of `V4`, each event after the other; returns its end and all effects. */
function run(events: readonly ArpProbeEvent[]) {
  let probe = arpProbe(V4, OURS, new Set([OURS, OUR_OTHER]));
  const effects: ArpProbeEffect[] = [];
  for (const event of events) {
    const [next, more] = step(probe, event);
    probe = next;
    effects.push(...more);
  }
  return { probe, effects, done: effects.filter(({ kind }) => kind === 'Done') };
}
const start = (random = 0): ArpProbeEvent => ({ kind: 'Start', random });
const timer = (random = 0): ArpProbeEvent => ({ kind: 'TimerExpires', random });
const received = (given: Partial<ArpPacket>): ArpProbeEvent => ({
  kind: 'ArpReceived',
  packet: { op: 'Reply', sha: OTHER, spa: V4, tha: OURS, tpa: ip('0.0.0.0'), ...given },
});
const waitsIn = (effects: readonly ArpProbeEffect[]): number[] =>
  effects.flatMap((effect) => (effect.kind === 'SetTimer' ? [effect.milliseconds] : []));

spec('an ARP probe', (test) => {
  test('sends PROBE_NUM probes and waits ANNOUNCE_WAIT (RFC 5227 2.1.1)', () => {
    const { probe, effects, done } = run([start(0.5), timer(0.5), timer(0.5), timer(0.5), timer()]);
    assert.equal(waitsIn(effects), [100, 1050, 1050, 2000]);
    assert.is(effects.filter(({ kind }) => kind === 'SendProbe').length, ARP_PROBE.PROBE_NUM);
    assert.equal(done, [{ kind: 'Done', holder: undefined }]);
    assert.is(probe.phase, 'Free');
  });
  test('probes as sender zero, so that nobody learns from it (RFC 5227 2.1.1)', () => {
    const [sent] = run([start(), timer()]).effects.filter(({ kind }) => kind === 'SendProbe');
    const packet = { op: 'Request', sha: OURS, spa: ip('0.0.0.0'), tha: NONE, tpa: V4 };
    assert.equal(sent, { kind: 'SendProbe', packet });
  });
  test('keeps within the times of RFC 5227 1.1, and within 5 s in all', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 5 }),
        (chances) => {
          const [first = 0, ...rest] = chances.slice(0, 5);
          const [wait = -1, one = 0, two = 0, last = 0] = waitsIn(run([start(first), ...rest.map(timer)]).effects);
          assert.ok(wait >= 0 && wait <= 1000);
          for (const between of [one, two]) assert.ok(between >= 1000 && between <= 2000);
          assert.is(last, 2000);
          assert.ok(wait + one + two + last <= 5000);
        },
      ),
    );
  });

  const rows: [name: string, given: Partial<ArpPacket>, holder: string | undefined][] = [
    ['a reply from the address', {}, OTHER],
    ['a request from the address', { op: 'Request', tpa: ip('192.0.2.1') }, OTHER],
    ['an announcement of the address', { op: 'Request', tpa: V4 }, OTHER],
    ['a probe for the address by another', { op: 'Request', spa: ip('0.0.0.0'), tpa: V4 }, OTHER],
    ['a probe for another address', { op: 'Request', spa: ip('0.0.0.0'), tpa: ip('192.0.2.11') }, undefined],
    [
      'a request for the address by somebody who looks for it',
      { op: 'Request', spa: ip('192.0.2.1'), tpa: V4 },
      undefined,
    ],
    ['a reply from another address', { spa: ip('192.0.2.11') }, undefined],
    ['our own probe, come back', { op: 'Request', sha: OURS, spa: ip('0.0.0.0'), tpa: V4 }, undefined],
    [
      'a probe of another interface of this host',
      { op: 'Request', sha: OUR_OTHER, spa: ip('0.0.0.0'), tpa: V4 },
      undefined,
    ],
  ];
  for (const [name, given, holder] of rows)
    test(`${holder ? 'sees a conflict in' : 'sees no conflict in'} ${name} (RFC 5227 2.1.1)`, () => {
      const { done, probe } = run([start(), timer(), received(given)]);
      assert.equal(done, holder ? [{ kind: 'Done', holder }] : []);
      assert.is(probe.phase, holder ? 'Conflict' : 'Probing');
    });

  test('looks out from the beginning until ANNOUNCE_WAIT is over (RFC 5227 2.1.1)', () => {
    const all = [start(), timer(), timer(), timer()];
    for (let before = 0; before <= all.length; before++)
      assert.is(run([...all.slice(0, before), received({})]).probe.phase, 'Conflict', `after ${before} events`);
    assert.is(run([...all, timer(), received({})]).probe.phase, 'Free');
  });
  test('says one verdict, whatever comes in whatever order', () => {
    const events = fc.array(fc.constantFrom(start(), timer(), received({}), received({ sha: OURS })));
    fc.assert(fc.property(events, (list) => assert.ok(run(list).done.length <= 1)));
  });
});

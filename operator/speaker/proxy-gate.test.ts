import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { forwardsSince, proxySyncs, UNKNOWN_AFTER_MS, waitForProxy } from './proxy-gate.ts';
import { ManualClock } from './wire/manual-clock.ts';

/** As kube-proxy 1.34 writes it. */
const metrics = (written: number, queued: number, family = 'IPv4'): string => `
# HELP kubeproxy_sync_proxy_rules_last_timestamp_seconds [ALPHA] The last time proxy rules were successfully synced
# TYPE kubeproxy_sync_proxy_rules_last_timestamp_seconds gauge
kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds{ip_family="${family}"} ${queued.toExponential()}
kubeproxy_sync_proxy_rules_last_timestamp_seconds{ip_family="${family}"} ${written.toExponential()}
process_start_time_seconds 1.79528041081e+09
`;
const FIRST_SIGHT = 1_000;

spec('kube-proxy gate', (test) => {
  const rows: [name: string, text: string, forwards: boolean][] = [
    ['rules written after the first sight', metrics(1_001, 1_002), true],
    ['rules written long ago and nothing asked for since', metrics(500, 499), true],
    ['rules written before the first sight and newer ones asked for', metrics(999, 1_001), false],
    ['no rules written yet', metrics(0, 1_001), false],
    ['one family of two', metrics(1_001, 1_000) + metrics(0, 1_000, 'IPv6'), false],
    ['both families', metrics(1_001, 1_000) + metrics(900, 900, 'IPv6'), true],
    [
      'rules asked for and never written',
      'kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds{ip_family="IPv4"} 1.1e+03\n',
      false,
    ],
    ['a version without families', 'kubeproxy_sync_proxy_rules_last_timestamp_seconds 1.001e+03\n', true],
    ['metrics of something else', 'up 1\n', false],
  ];
  for (const [name, text, forwards] of rows)
    test(`${name}: ${forwards ? 'forwards' : 'does not forward'}`, () =>
      assert.is(forwardsSince(proxySyncs(text), FIRST_SIGHT), forwards));

  const turns = async (clock: ManualClock, count: number, milliseconds: number) => {
    for (let turn = 0; turn < count; turn++) {
      await new Promise(setImmediate);
      clock.advance(milliseconds);
    }
    await new Promise(setImmediate);
  };
  test('waits for as long as kube-proxy has not written its rules', async () => {
    const clock = new ManualClock();
    let [text, waits, verdict] = [metrics(0, 1_001), 0, ''];
    const read = async () => text;
    const onWait = () => (waits += 1);
    const waiting = waitForProxy({ read, clock, firstSight: FIRST_SIGHT, onWait }).then((said) => (verdict = said));
    await turns(clock, 100, 200);
    assert.equal([verdict, waits], ['', 1]);
    text = metrics(1_020, 1_019);
    await turns(clock, 2, 200);
    assert.is(verdict, 'Forwards');
    await waiting;
  });
  test('gives up on one that does not answer', async () => {
    const clock = new ManualClock();
    let verdict = '';
    const read = () => Promise.reject(new Error('connection refused'));
    const waiting = waitForProxy({ read, clock, firstSight: FIRST_SIGHT, onWait: () => {} });
    void waiting.then((said) => (verdict = said));
    await turns(clock, UNKNOWN_AFTER_MS / 200 - 1, 200);
    assert.is(verdict, '');
    await turns(clock, 3, 200);
    assert.is(verdict, 'Unknown');
  });
});

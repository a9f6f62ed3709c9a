import * as assert from 'uvu/assert';
import { rejection, spec } from '../../testing/spec.ts';
import { CommandError } from './command.ts';
import { drainReport, drainText } from './drain.ts';
import { paintOf } from './output.ts';
import {
  holding,
  l2Advertisement,
  l2StatusOf,
  node,
  pool,
  service,
  snapshotOf,
  type TestCluster,
} from './testing/cluster.ts';

const plain = paintOf({ isTerminal: false, env: {} });
const LABEL = 'node.kubernetes.io/exclude-from-external-load-balancers';

/** shop/web is announced by node-b. */
const cluster = (more: TestCluster = {}): TestCluster => ({
  pools: [pool('public', ['203.0.113.0/28'])],
  l2Advertisements: [l2Advertisement('all')],
  services: [holding(service('shop/web'), '203.0.113.1')],
  endpoints: { 'shop/web': ['node-a'] },
  ...more,
  more: {
    serviceL2Statuses: [l2StatusOf('shop/web', 'node-b')],
  },
});

spec('herald drain', (test) => {
  test('tells what the node announces, who is next, and the command that works today', () => {
    const report = drainReport('node-b', snapshotOf(cluster()));
    assert.equal(report.announces, [{ address: '203.0.113.1', service: 'shop/web', next: 'node-a' }]);
    assert.is(report.command, `kubectl label node node-b ${LABEL}=`);
    const text = drainText(report, plain);
    assert.match(text, 'does not drain nodes by itself; nothing was changed');
    assert.match(text, `kubectl label node node-b ${LABEL}-`);
  });

  test('warns of an address that no other node may announce', () => {
    const only = l2Advertisement('all', { nodeSelectors: [{ matchLabels: { zone: 'x' } }] });
    const nodes = [node('node-a'), node('node-b', { labels: { zone: 'x' } })];
    const report = drainReport('node-b', snapshotOf(cluster({ l2Advertisements: [only], nodes })));
    assert.is(report.announces[0]?.next, undefined);
    assert.match(drainText(report, plain), 'it would be lost');
  });

  test('does not count a node without a speaker as next', () => {
    const report = drainReport('node-b', snapshotOf(cluster({ withoutSpeaker: ['node-a'] })));
    assert.is(report.announces[0]?.next, undefined);
  });

  test('names no command where the label changes nothing', () => {
    const deaf = drainReport('node-b', snapshotOf(cluster({ speakerArgs: ['--ignore-exclude-lb'] })));
    assert.is(deaf.command, undefined);
    assert.match(drainText(deaf, plain), '--ignore-exclude-lb');
    const nodes = [node('node-a'), node('node-b', { labels: { [LABEL]: '' } })];
    const labelled = drainReport('node-b', snapshotOf(cluster({ nodes })));
    assert.match(labelled.because ?? '', 'already');
  });

  test('says that a node announces nothing, and that one does not exist', async () => {
    assert.is(drainText(drainReport('node-a', snapshotOf(cluster())), plain), 'node node-a announces nothing\n');
    const { message } = await rejection(CommandError, () => drainReport('node-bb', snapshotOf(cluster())));
    assert.is(message, 'there is no node node-bb: did you mean node-b?');
  });
});

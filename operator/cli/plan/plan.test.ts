import * as assert from 'uvu/assert';
import { spec } from '../../../testing/spec.ts';
import { disruptionHash } from '../../config/pool-content.ts';
import { readManifests } from '../manifests/manifest.ts';
import { plan as planCommand } from '../plan.ts';
import { runCommand } from '../run.ts';
import { holding, l2Advertisement, pool, service, snapshotOf, type TestCluster } from '../testing/cluster.ts';
import { memoryIo } from '../testing/memory-io.ts';
import { type Plan, planOf } from './plan.ts';
import { planMarkdown, planText } from './print.ts';

const poolYaml = (name: string, addresses: readonly string[], more = '', annotations = ''): string => `---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata:
  name: ${name}
  namespace: herald-system
${annotations}spec:
  addresses: [${addresses.join(', ')}]
${more}`;

const l2Yaml = (name: string, spec = '{}'): string =>
  `---\napiVersion: metallb.io/v1beta1\nkind: L2Advertisement\nmetadata: {name: ${name}, namespace: herald-system}\nspec: ${spec}\n`;

/** Three Services hold 203.0.113.0 to .2 of pool public, announced from two nodes. */
const three: TestCluster = {
  pools: [pool('public', ['203.0.113.0/24'])],
  l2Advertisements: [l2Advertisement('all')],
  services: ['shop/a', 'shop/b', 'shop/c'].map((key, at) =>
    holding(service(key, {}, { creationTimestamp: `2026-01-0${at + 1}T00:00:00Z` }), `203.0.113.${at}`),
  ),
  endpoints: { 'shop/a': ['node-a'], 'shop/b': ['node-a'], 'shop/c': ['node-b'] },
};

interface Planned {
  readonly plan: Plan;
  readonly text: string;
}

function planned(cluster: TestCluster, text: string, isPruned = false): Planned {
  const { manifests, problems: unreadable } = readManifests([{ name: 'f.yaml', text }]);
  assert.equal(unreadable, []);
  const change = { manifests, namespace: 'herald-system', isPruned: () => isPruned };
  const { plan, problems } = planOf(snapshotOf(cluster), change);
  if (!plan) throw new Error(JSON.stringify(problems));
  return { plan, text: planText(plan, (_, word) => word) };
}

const inWords = ({ services }: Pick<Plan, 'services'>): readonly string[] =>
  services.map(
    ({ service, before, after, owners }) =>
      `${service} ${before.join('+')} -> ${after.join('+')}${owners.map((one) => ` ${one.before ?? 'nobody'}>${one.after ?? 'nobody'}`).join('')}`,
  );

spec('a plan', (test) => {
  test('says that nothing changes where files and cluster are the same', () => {
    const { plan, text } = planned(three, poolYaml('public', ['203.0.113.0/24']) + l2Yaml('all'), true);
    assert.is(plan.outcome, 'Nothing');
    assert.equal([plan.objects, plan.services], [[], []]);
    assert.is(text, 'Nothing changes: 3 Services as before.\n');
  });
  test('tells what a change would break, and the hash that allows it', () => {
    const { plan, text } = planned(three, poolYaml('public', ['203.0.113.1-203.0.113.9']));
    const hash = disruptionHash({
      spec: { addresses: ['203.0.113.1-203.0.113.9'], autoAssign: true, avoidBuggyIPs: false },
    });
    assert.is(plan.outcome, 'Breaks');
    assert.equal(plan.services, []);
    assert.equal(
      plan.disruptions.map((one) => [one.pool, one.hash]),
      [['herald-system/public', hash]],
    );
    assert.equal(inWords({ services: plan.ifAllowed }), ['shop/a 203.0.113.0 -> 203.0.113.3 nobody>node-a']);
    assert.is(plan.ifAllowed[0]?.because, 'pool public no longer holds 203.0.113.0');
    assert.ok(text.includes(`heraldlb.io/allow-disruption: "${hash}"`), text);
    assert.ok(text.includes('1 would break: the operator will refuse this change unless'), text);
  });
  test('knows what is reserved, and what a quota leaves', () => {
    const ours = (kind: string, name: string, spec: string): string =>
      `---\napiVersion: heraldlb.io/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}, namespace: herald-system}\nspec: ${spec}\n`;
    const newService = (name: string): string =>
      `---\napiVersion: v1\nkind: Service\nmetadata: {name: ${name}, namespace: shop}\nspec: {type: LoadBalancer, clusterIPs: [10.96.0.9], ports: [{port: 80}]}\n`;
    const reserved = ours('AddressReservation', 'r', '{addresses: [203.0.113.3], for: {namespace: shop, name: vip}}');
    assert.equal(inWords(planned(three, reserved + newService('late')).plan), [
      'shop/late  -> 203.0.113.4 nobody>node-a',
    ]);
    assert.equal(inWords(planned(three, reserved + newService('vip')).plan), [
      'shop/vip  -> 203.0.113.3 nobody>node-a',
    ]);
    const limited = planned(three, ours('AddressQuota', 'q', '{limits: [{ipv4: 3}]}') + newService('late'));
    assert.equal(inWords(limited.plan), ['shop/late  -> ']);
    assert.match(limited.text, 'AddressQuota herald-system/q allows namespace shop 3 IPv4 addresses');
  });
  test('gives nobody what rests, or is an external IP', () => {
    const snapshot = snapshotOf(three);
    const [poolSet] = snapshot.poolSets;
    if (!poolSet) throw new Error('no PoolSet');
    const until = new Date(snapshot.takenAt.getTime() + 60_000).toISOString();
    const resting = [{ address: '203.0.113.3', until, service: 'shop/gone' }];
    const externalIPs = [{ address: '203.0.113.4', service: 'shop/envoy' }];
    const poolSets = [{ ...poolSet, resting, externalIPs }];
    const late =
      '---\napiVersion: v1\nkind: Service\nmetadata: {name: late, namespace: shop}\nspec: {type: LoadBalancer, clusterIPs: [10.96.0.9], ports: [{port: 80}]}\n';
    assert.equal(inWords(planned({ ...three, more: { poolSets } }, late).plan), [
      'shop/late  -> 203.0.113.5 nobody>node-a',
    ]);
  });
  test('changes nothing where the operator refuses already, and says so', () => {
    const refused = { ...three, pools: [pool('public', ['203.0.113.1-203.0.113.9'])] };
    const inForce = snapshotOf(three).poolSets[0]?.pools ?? [];
    const { plan, text } = planned({ ...refused, inForce }, poolYaml('public', ['203.0.113.1-203.0.113.9']));
    assert.equal([plan.outcome, plan.disruptions], ['Nothing', []], text);
    assert.match(
      plan.notes.join(),
      /public is refused already, and stays so: The change would take away 203\.0\.113\.0/,
    );
  });
  test('takes the annotation for an answer: then it is a change and no break', () => {
    const { plan: refused } = planned(three, poolYaml('public', ['203.0.113.1-203.0.113.9']));
    const annotations = `  annotations: {heraldlb.io/allow-disruption: "${refused.disruptions[0]?.hash}"}\n`;
    const { plan } = planned(three, poolYaml('public', ['203.0.113.1-203.0.113.9'], '', annotations));
    assert.is(plan.outcome, 'Changes');
    assert.equal(inWords(plan), ['shop/a 203.0.113.0 -> 203.0.113.3 nobody>node-a']);
  });
  test('sees that a deleted pool leaves what it gave', () => {
    const { plan } = planned(three, l2Yaml('all'), true);
    assert.equal(
      plan.objects.map(({ action, kind, key }) => `${action} ${kind} ${key}`),
      ['Delete IPAddressPool herald-system/public'],
    );
    assert.equal([plan.outcome, plan.services], ['Changes', []]);
  });
  test('gives a new Service its address, with the pool that comes beside it', () => {
    const yaml = `${poolYaml('lab', ['198.51.100.0/24'], '  autoAssign: false\n')}---
apiVersion: v1
kind: Service
metadata: {name: new, namespace: shop, annotations: {metallb.io/address-pool: lab}}
spec: {type: LoadBalancer, selector: {app: new}, ports: [{port: 80}]}
`;
    const { plan } = planned(three, yaml);
    assert.equal([plan.outcome, inWords(plan)], ['Changes', ['shop/new  -> 198.51.100.0 nobody>node-a']]);
  });
  test('serves who waits, oldest first, when a pool grows', () => {
    const cluster = { ...three, pools: [pool('public', ['203.0.113.0/32'])] };
    const { plan } = planned({ ...cluster, inForce: [] }, poolYaml('public', ['203.0.113.0/31']));
    assert.equal(inWords(plan), ['shop/b  -> 203.0.113.1 nobody>node-a']);
  });
  test('says when the order of the files decides', () => {
    const waiting = { services: [service('shop/a')] };
    const [first, second] = [poolYaml('a', ['198.51.100.0/24']), poolYaml('b', ['203.0.113.0/24'])];
    assert.equal(planned(waiting, first + second).plan.notes, []);
    const { plan } = planned(waiting, second + first);
    assert.equal(inWords(plan), ['shop/a  -> 198.51.100.0 nobody>nobody']);
    assert.equal(plan.notes, [
      'The order matters: object by object, as the files have them, shop/a would get other addresses.',
    ]);
  });
  test('follows the addresses from node to node', () => {
    const { plan, text } = planned(three, l2Yaml('all', '{nodeSelectors: [{matchLabels: {zone: x}}]}'));
    assert.is(plan.outcome, 'Breaks');
    assert.is(
      plan.services.every(({ isBroken }) => isBroken),
      true,
    );
    assert.is(
      plan.nodes.reduce((sum, { after }) => sum + after, 0),
      0,
    );
    assert.ok(text.includes('-> nobody: '), text);
  });
  test('tells of an object that the operator will refuse', () => {
    const { plan } = planned(three, poolYaml('twin', ['203.0.113.128/25']));
    assert.is(plan.outcome, 'Breaks');
    assert.equal(
      plan.objects.map(({ key, isRefused, verdict }) => [key, isRefused, verdict?.reason]),
      [['herald-system/twin', true, 'OverlapsPool']],
    );
  });
  test('refuses manifests that the API server would refuse, with their place', () => {
    const { manifests } = readManifests([{ name: 'f.yaml', text: poolYaml('x', ['10.0.0.0/99']) }]);
    const { plan, problems } = planOf(snapshotOf(three), {
      manifests: [...manifests, ...manifests],
      namespace: 'herald-system',
      isPruned: () => false,
    });
    assert.is(plan, undefined);
    assert.equal(
      problems.map(({ line, field }) => [line, field]),
      [
        [8, 'spec.addresses[0]'],
        [2, undefined],
      ],
    );
  });
  test('keeps labels of others, and drops those that were applied before', () => {
    const applied = JSON.stringify({ metadata: { labels: { gone: 'x' } } });
    const live = pool(
      'public',
      ['203.0.113.0/24'],
      {},
      {
        labels: { gone: 'x', theirs: 'y' },
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': applied },
      },
    );
    const { plan } = planned({ ...three, pools: [live] }, poolYaml('public', ['203.0.113.0/24']));
    assert.equal(
      plan.objects.map(({ fields }) => fields),
      [['metadata.labels.gone']],
    );
  });
  test('makes a table for a pull request', () => {
    const markdown = planMarkdown(planned(three, poolYaml('public', ['203.0.113.1-203.0.113.9'])).plan);
    assert.match(markdown, /^### Herald: This change breaks something\n/);
    assert.match(markdown, /\| `~` shop\/a \| 203\.0\.113\.0 -> 203\.0\.113\.3 \| pool public no longer holds/);
  });
  test('is printed by the command, with its exit codes, from an export of a cluster', async () => {
    const { poolSets, pools, services } = snapshotOf(three);
    const items = [...poolSets, ...pools, ...services.map((one) => ({ apiVersion: 'v1', kind: 'Service', ...one }))];
    const exported = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    const files = {
      'cluster.json': exported,
      'same.yaml': poolYaml('public', ['203.0.113.0/24']),
      'wider.yaml': poolYaml('public', ['203.0.113.0/24', '198.51.100.0/24']),
      'smaller.yaml': poolYaml('public', ['203.0.113.1-203.0.113.9']),
      'wrong.yaml': poolYaml('public', ['203.0.113.0/24'], '  autoAsign: true\n'),
    };
    const codes: number[] = [];
    const io = memoryIo({ files });
    for (const name of ['same', 'wider', 'smaller', 'wrong'])
      codes.push(await runCommand(planCommand, ['-f', `${name}.yaml`, '--from', 'cluster.json', '-o', 'json'], io));
    assert.equal(codes, [0, 2, 3, 1]);
    assert.match(
      io.printed.stderr,
      /error: wrong\.yaml:9: IPAddressPool herald-system\/public: spec\.autoAsign: is no field/,
    );
  });
  test('prunes only what the selector takes', async () => {
    const pools = [
      pool('public', ['203.0.113.0/24']),
      pool('lab', ['198.51.100.0/24'], {}, { labels: { team: 'lab' } }),
      pool('unread', ['198.51.100.0/24'], {}, { namespace: 'elsewhere', labels: { team: 'lab' } }),
    ];
    const exported = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: pools });
    const io = memoryIo({ files: { 'cluster.json': exported, 'empty.yaml': '# nothing\n' } });
    const args = ['-f', 'empty.yaml', '--from', 'cluster.json', '--prune', '-l', 'team=lab', '-o', 'json'];
    assert.is(await runCommand(planCommand, args, io), 2);
    const { objects } = JSON.parse(io.printed.stdout) as Plan;
    assert.equal(
      objects.map(({ action, key }) => `${action} ${key}`),
      ['Delete herald-system/lab'],
    );
  });
});

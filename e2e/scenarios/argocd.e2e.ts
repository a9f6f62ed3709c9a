/**
 * What Argo CD sees of Herald: by its health script every object is as well as its conditions say, and syncs by
 * server-side and by client-side apply, in turn and again and again, find no difference on anything of ours.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { kinds } from '../../crds/kinds.ts';
import { type Health, healthOf } from '../../testing/lua-health.ts';
import { repository } from '../cluster/places.ts';
import { NAMESPACE } from '../lib/herald.ts';
import type { KubeObject } from '../lib/kube-api.ts';
import { exec, tryExec } from '../lib/lab.ts';
import { scenario } from '../lib/scenario.ts';
import { waitFor } from '../lib/wait-for.ts';
import { METALLB, type World } from '../lib/world.ts';

const DIST = join(repository, 'cdk8s/dist');
const { data } = parse(readFileSync(join(DIST, 'argocd/argocd-cm.yaml'), 'utf8'));
const customizations = parse(data['resource.customizations']) as Record<string, { 'health.lua': string }>;
const HERALD = 'heraldlb.io/v1alpha1';
const LABEL = 'e2e.heraldlb.io/scenario';

const objects = (world: World): KubeObject[] => {
  const object = (apiVersion: string, kind: string, name: string, spec: object): KubeObject => ({
    apiVersion,
    kind,
    metadata: { name: `${world.name}${name}`, namespace: NAMESPACE, labels: { [LABEL]: world.name } },
    spec,
  });
  const service = (name: string, app: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: world.namespace },
    spec: { type: 'LoadBalancer', selector: { app }, ports: [{ port: 80, targetPort: 8080 }] },
  });
  const serviceAllocation = { namespaces: [world.namespace] };
  const [first, last] = [world.free.IPv4.addresses[0], world.free.IPv4.addresses.at(-1)];
  return [
    object(METALLB, 'IPAddressPool', '', { addresses: [world.free.IPv4.range], serviceAllocation }),
    object(METALLB, 'IPAddressPool', '-overlapping', { addresses: [`${first}-${last}`], serviceAllocation }),
    object(METALLB, 'L2Advertisement', '', { ipAddressPools: [world.name] }),
    object(METALLB, 'L2Advertisement', '-dangling', { ipAddressPools: ['argocd-nowhere'] }),
    object(METALLB, 'BFDProfile', '', { transmitInterval: 100 }),
    object(METALLB, 'Community', '', { communities: [{ name: 'argocd-no-export', value: '65535:65281' }] }),
    object('metallb.io/v1beta2', 'BGPPeer', '', { myASN: 64512, peerASN: 64513, peerAddress: '192.0.2.254' }),
    object(METALLB, 'BGPAdvertisement', '', { ipAddressPools: [world.name] }),
    object(HERALD, 'AddressReservation', '', {
      addresses: [world.free.IPv4.addresses[1]],
      for: { namespace: world.namespace, name: 'later' },
    }),
    object(HERALD, 'AddressReservation', '-overlapping', {
      addresses: [world.free.IPv4.addresses[1]],
      for: { namespace: world.namespace, name: 'nobody' },
    }),
    object(HERALD, 'AddressQuota', '', { for: { namespaces: [world.namespace] }, limits: [{ ipv4: 10 }] }),
    service('web', 'web'),
    service('unserved', 'nobody'),
  ];
};

/** Of the kinds that nobody writes here: those that wait for BGP, and one that lives only while an address is asked for. */
const reports = (world: World): KubeObject[] => {
  const metadata = { name: world.name, namespace: world.namespace };
  const condition = { type: 'Ready', status: 'False', reason: 'HoldTimerExpired', message: 'silent for 90 s' };
  const conditions = [{ ...condition, lastTransitionTime: '2026-01-01T00:00:00Z' }];
  const status = { node: 'node-a', peer: 'tor', state: 'Idle', conditions };
  return [
    { apiVersion: HERALD, kind: 'AddressProbe', metadata, address: '192.0.2.1', node: 'nowhere', service: 'a/b' },
    { apiVersion: HERALD, kind: 'BGPSession', metadata, status },
    { apiVersion: METALLB, kind: 'ServiceBGPStatus', metadata },
  ];
};

const listOf = (items: readonly KubeObject[]): string => JSON.stringify({ apiVersion: 'v1', kind: 'List', items });

const pathOf = ({ group, version, plural }: (typeof kinds)[number]): string => `/apis/${group}/${version}/${plural}`;

/** The health of every object of ours that is of this scenario or of the whole cluster, by kind and name. */
async function healthNow(world: World): Promise<ReadonlyMap<string, Health>> {
  const health = new Map<string, Health>();
  for (const kind of kinds)
    for (const object of await world.api.list(pathOf(kind))) {
      const script = customizations[`${kind.group}/*`]?.['health.lua'] ?? '';
      const typed = { apiVersion: `${kind.group}/${kind.version}`, kind: kind.kind, ...object };
      health.set(`${kind.kind} ${object.metadata.name}`, await healthOf(script, typed));
    }
  return health;
}

const kubectlSays = async (argv: readonly string[], input?: string): Promise<string> => {
  const { code, stdout, stderr } = await tryExec('host', ['kubectl', ...argv], input === undefined ? {} : { input });
  return code === 0 ? '' : `${code}: ${stdout}${stderr}`;
};

/** As Argo CD syncs: with ServerSideApply=true, and without. */
const SYNCS = {
  'server-side apply': ['--server-side', '--force-conflicts', '--field-manager=argocd-controller'],
  'client-side apply': [],
} as const;

async function sync(world: World, how: keyof typeof SYNCS, verb: 'apply' | 'diff'): Promise<void> {
  const list = listOf(objects(world));
  assert.is(
    await kubectlSays([verb, ...SYNCS[how], '-k', join(DIST, 'default')]),
    '',
    `${verb} of the product, ${how}`,
  );
  assert.is(await kubectlSays([verb, ...SYNCS[how], '-f', '-'], list), '', `${verb} of objects, ${how}`);
}

scenario('argocd', (test) => {
  test('every object of the cluster is as well as its conditions say', async (world) => {
    await world.web();
    await sync(world, 'server-side apply', 'apply');
    assert.is(await kubectlSays(['create', '-f', '-'], listOf(reports(world))), '');
    // Degraded by BackendMissing: nothing is advertised by BGP yet.
    const expected: Record<string, Health['status']> = {
      'IPAddressPool argocd': 'Healthy',
      'IPAddressPool argocd-overlapping': 'Degraded',
      'L2Advertisement argocd': 'Healthy',
      'L2Advertisement argocd-dangling': 'Progressing',
      'BFDProfile argocd': 'Degraded',
      'Community argocd': 'Healthy',
      'BGPPeer argocd': 'Degraded',
      'BGPAdvertisement argocd': 'Degraded',
      'AddressReservation argocd': 'Healthy',
      'AddressReservation argocd-overlapping': 'Degraded',
      'AddressQuota argocd': 'Healthy',
      'ServiceAnnouncement web': 'Healthy',
      'ServiceAnnouncement unserved': 'Progressing',
      'ConfigurationState controller': 'Degraded',
      'BGPSession argocd': 'Progressing',
      'ServiceBGPStatus argocd': 'Healthy',
      'PoolSet herald': 'Healthy',
    };
    await waitFor(
      'every object has its health',
      { withinMs: 30_000 },
      async () => {
        const health = await healthNow(world);
        const wrong = Object.entries(expected).filter(([name, status]) => health.get(name)?.status !== status);
        return wrong.map(([name, status]) => `${name} is no ${status} but ${JSON.stringify(health.get(name))}`);
      },
      (wrong) => wrong.length === 0,
    );
    const health = await healthNow(world);
    assert.match(health.get('IPAddressPool argocd-overlapping')?.message ?? '', 'OverlapsPool: ');
    for (const { kind } of kinds) {
      const found = [...health].filter(([name]) => name.startsWith(`${kind} `));
      assert.ok(found.length > 0, `there is a ${kind}`);
      const isReport = ['NodeAnnouncement', 'ServiceL2Status'].includes(kind);
      for (const [name, { status }] of isReport ? found : []) assert.is(status, 'Healthy', name);
    }
  });

  for (const how of ['server-side apply', 'client-side apply', 'server-side apply'] as const)
    test(`two syncs by ${how} find no difference`, async (world) => {
      for (let round = 0; round < 2; round++) {
        await sync(world, how, 'apply');
        await sync(world, how, 'diff');
      }
    });

  test('a difference would be seen', async (world) => {
    const pool = `ipaddresspool/${world.name}`;
    await exec('host', [
      'kubectl',
      '-n',
      NAMESPACE,
      'patch',
      pool,
      '--type=merge',
      '-p',
      '{"spec":{"avoidBuggyIPs":true,"addresses":["192.0.2.0/32"]}}',
    ]);
    assert.match(
      await kubectlSays(['diff', ...SYNCS['server-side apply'], '-f', '-'], listOf(objects(world))),
      '192.0.2.0/32',
    );
  });

  test('what was made goes again', async (world) => {
    const types =
      'bfdprofiles.metallb.io,communities.metallb.io,bgppeers.metallb.io,bgpadvertisements.metallb.io,addressreservations.heraldlb.io,addressquotas.heraldlb.io';
    await exec('host', ['kubectl', '-n', NAMESPACE, 'delete', types, '-l', `${LABEL}=${world.name}`]);
    await world.clear();
  });
});

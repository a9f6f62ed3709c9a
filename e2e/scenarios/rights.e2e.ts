/** What each role may do is what it does: its rules against the calls that its processes made, and what is forbidden. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { parseAllDocuments } from 'yaml';
import { repository } from '../cluster/places.ts';
import { NAMESPACE, pods } from '../lib/herald.ts';
import { collection, type KubeObject } from '../lib/kube-api.ts';
import { exec, kubectl, tryExec } from '../lib/lab.ts';
import { scenario } from '../lib/scenario.ts';
import { allowed, scrape, tokenOf } from '../lib/scrape.ts';
import { waitFor } from '../lib/wait-for.ts';
import type { World } from '../lib/world.ts';

type Workload = 'herald-operator' | 'herald-speaker';
const WORKLOADS = ['herald-operator', 'herald-speaker'] as const;

/** Rights that a process needs on some days only, each with the day. */
const SELDOM: Readonly<Record<string, string>> = {
  'create addressprobes.heraldlb.io': 'a pool asks for duplicate address detection',
  'delete addressprobes.heraldlb.io': 'a pool asks for duplicate address detection',
  'get addressprobes.heraldlb.io': 'a pool asks for duplicate address detection',
  'list addressprobes.heraldlb.io': 'a pool asks for duplicate address detection',
  'watch addressprobes.heraldlb.io': 'a pool asks for duplicate address detection',
  'create configurationstates.metallb.io': 'it is missing, as in a new cluster',
  'create leases.coordination.k8s.io': 'it is missing, as in a new cluster',
  'create nodeannouncements.heraldlb.io': 'it is missing, as in a new cluster',
  'create poolsets.heraldlb.io': 'it is missing, as in a new cluster',
  'create secrets': 'herald-memberkey is missing, as in a new cluster',
  'delete serviceannouncements.heraldlb.io': 'a Service lost its address and stayed',
  'delete servicel2statuses.metallb.io': 'a node gave an address up and nobody took it over',
  'get servicel2statuses.metallb.io': 'one was in the way of another',
  'get serviceannouncements.heraldlb.io': 'one was in the way of another',
  'get endpointslices.discovery.k8s.io': 'the usual way to the API server is stuck',
  'list pods': 'a pool lies in a range of pods',
  'patch addressquotas.heraldlb.io/status': 'there is one',
  'patch addressreservations.heraldlb.io/status': 'there is one',
  'patch bfdprofiles.metallb.io/status': 'there is one',
  'patch bgpadvertisements.metallb.io/status': 'there is one',
  'patch bgppeers.metallb.io/status': 'there is one',
  'patch communities.metallb.io/status': 'there is one',
  'patch configurationstates.metallb.io/status': 'the configuration begins or ends to have faults',
  'patch events.events.k8s.io': 'an event repeats',
  'patch servicel2statuses.metallb.io': 'an address changes its owner',
  'patch servicel2statuses.metallb.io/status': 'an address has an owner',
  'create servicel2statuses.metallb.io': 'an address has an owner',
  'create serviceannouncements.heraldlb.io': 'a Service is announced',
  'patch serviceannouncements.heraldlb.io': 'a Service is announced by somebody else',
  'update leases.coordination.k8s.io': 'a replica that stands by renews nothing',
};
/** Every read comes as three: an informer lists and watches, and a single object is read where a decision needs it. */
const READS = ['get', 'list', 'watch'];

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** `verb resource` as RBAC has it in the manifests, of the role itself and of the cluster. */
function rightsOf(workload: Workload): ReadonlySet<string> {
  const text = readFileSync(join(repository, 'cdk8s/dist/default/rbac.yaml'), 'utf8');
  const objects = parseAllDocuments(text).map((document) => document.toJS() as KubeObject);
  const rules = objects
    .filter(({ kind, metadata }) => /^(Cluster)?Role$/.test(kind ?? '') && metadata.name.endsWith(workload))
    .flatMap((role) => role['rules'] as readonly Rule[]);
  return new Set(
    rules.flatMap(({ apiGroups, resources, verbs }) =>
      resources.flatMap((resource) =>
        apiGroups.flatMap((group) => verbs.map((verb) => `${verb} ${named(resource, group)}`)),
      ),
    ),
  );
}

function named(resource: string, group: string): string {
  const [plural, subresource] = resource.split('/');
  return `${plural}${group ? `.${group}` : ''}${subresource ? `/${subresource}` : ''}`;
}

/** `verb resource` of every call that the processes of a workload made since they started. */
async function callsOf(world: World, workload: Workload, token: string): Promise<ReadonlySet<string>> {
  const bodies = await Promise.all(
    (await pods(world.api, workload)).map(async (pod) => {
      const { status, body } = await scrape(pod, [`Authorization: Bearer ${token}`]);
      assert.is(status, '200', pod.metadata.name);
      return body;
    }),
  );
  const lines = bodies.join('\n').matchAll(/^herald_api_calls_total\{verb="([^"]*)",resource="([^"]*)"\} [1-9]/gm);
  return new Set([...lines].map(([, verb, resource]) => `${verb} ${resource}`));
}

/** Whether an account may do something, asked of the API server. */
async function may(workload: Workload, verb: string, resource: string, namespace: string): Promise<boolean> {
  const account = `system:serviceaccount:${NAMESPACE}:${workload}`;
  const argv = ['kubectl', 'auth', 'can-i', verb, resource, '-n', namespace, '--as', account];
  return (await tryExec('host', argv)).stdout.trim() === 'yes';
}

const FORBIDDEN = [
  ['update', 'services'],
  ['patch', 'services'],
  ['patch', 'ipaddresspools.metallb.io'],
  ['delete', 'services'],
  ['patch', 'deployments.apps'],
  ['get', 'secrets'],
  ['patch', 'nodes'],
  ['create', 'pods'],
  ['patch', 'customresourcedefinitions.apiextensions.k8s.io'],
  ['create', 'clusterrolebindings.rbac.authorization.k8s.io'],
] as const;

scenario('rights', (test) => {
  test('a Service is served and announced, so that the daily calls are made', async (world) => {
    await world.pool();
    await world.advertise();
    await world.web();
    await world.service({ name: 'web' });
    for (const address of await world.addressesOf('web')) await world.fetchSoon(address);
  });

  test('every call of a process has its rule, and every rule a call or a day', async (world) => {
    const scraper = await tokenOf(world, 'scraper');
    await allowed(world, 'scraper', async () => {
      for (const workload of WORKLOADS) {
        const rights = rightsOf(workload);
        const calls = await callsOf(world, workload, scraper);
        assert.ok(calls.size > 10, `${workload} made calls: ${[...calls].join(', ')}`);
        assert.equal(
          [...calls].filter((call) => !rights.has(call)),
          [],
          `${workload} calls without a rule`,
        );
        const isRead = (right: string): boolean => {
          const [verb = '', resource = ''] = right.split(' ');
          return READS.includes(verb) && READS.some((other) => calls.has(`${other} ${resource}`));
        };
        const idle = [...rights].filter((right) => !calls.has(right) && !isRead(right) && !(right in SELDOM));
        assert.equal(idle, [], `${workload} may what it does not do`);
      }
    });
  });

  test('nobody of Herald may write a spec, or read what is none of its business', async (world) => {
    for (const workload of WORKLOADS)
      for (const [verb, resource] of FORBIDDEN)
        assert.not(await may(workload, verb, resource, world.namespace), `${workload} may ${verb} ${resource}`);
  });

  test("with the operator's own token a write to a Service is refused, and its status takes no spec along", async (world) => {
    const token = (await kubectl('-n', NAMESPACE, 'create', 'token', 'herald-operator')).trim();
    const server = (await kubectl('config', 'view', '--minify', '-o', 'jsonpath={.clusters[0].cluster.server}')).trim();
    const send = async (path: string): Promise<string> => {
      const body = JSON.stringify({ spec: { externalTrafficPolicy: 'Local' } });
      const argv = ['curl', '-sk', '-m', '10', '-X', 'PATCH', '-H', '@-', '-w', '%{http_code}', '-o', '/dev/null'];
      const type = 'Content-Type: application/merge-patch+json';
      const input = `Authorization: Bearer ${token}\n${type}`;
      return exec('host', [...argv, '-d', body, `${server}${path}`], { input });
    };
    assert.is(await send(world.servicePath('web')), '403');
    await send(`${world.servicePath('web')}/status`);
    const service = await world.api.get(world.servicePath('web'));
    assert.is(service['spec'].externalTrafficPolicy, 'Cluster');
  });

  test('in no object of users a spec, or an annotation but one, was written by Herald', async (world) => {
    const kinds = ['IPAddressPool', 'L2Advertisement'] as const;
    const lists = await Promise.all([
      world.api.list(collection('v1', 'Service')),
      ...kinds.map((kind) => world.api.list(collection('metallb.io/v1beta1', kind))),
    ]);
    const written = lists
      .flat()
      .flatMap(({ metadata }) =>
        (metadata.managedFields ?? [])
          .filter(({ manager }) => manager.startsWith('herald-'))
          .map((entry) => (entry as { fieldsV1?: Record<string, Record<string, unknown>> }).fieldsV1 ?? {}),
      );
    assert.ok(written.length > 0);
    for (const fields of written) {
      assert.is(fields['f:spec'], undefined, JSON.stringify(fields));
      const annotations = Object.keys((fields['f:metadata']?.['f:annotations'] ?? {}) as object);
      const others = annotations.filter((name) => name !== '.' && name !== 'f:metallb.io/ip-allocated-from-pool');
      assert.equal(others, []);
    }
    await waitFor(
      'the Service is still served',
      { withinMs: 5_000 },
      () => world.addressesNow('web'),
      ({ length }) => length > 0,
    );
  });
});

/**
 * What the API server itself makes of our definitions: each rule refuses with a sentence that a person understands,
 * and whatever people have written for MetalLB is taken unchanged. Everything is a dry run but two objects.
 *
 * KUBECTL="kubectl --kubeconfig FILE" runs it against another API server than the lab's.
 */

import { readdirSync, readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { parseAllDocuments } from 'yaml';
import { spec } from '../../testing/spec.ts';
import { repository } from '../cluster/places.ts';
import type { RunResult } from '../cluster/process.ts';
import { tryRun } from '../cluster/process.ts';
import { accepted, type Case, refused } from './corpus/cases.ts';

const NAMESPACE = 'e2e-crd-rules';
/** Where the published manifests want their objects. */
const FOREIGN = 'metallb-system';
const CORPUS = new URL('corpus/', import.meta.url);
const KUBECTL = process.env['KUBECTL']?.split(' ') ?? [
  `${repository}/e2e/cluster/lab`,
  'exec',
  'host',
  '--',
  'kubectl',
];

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

const kubectl = (argv: readonly string[], input = ''): Promise<RunResult> =>
  tryRun([...KUBECTL, ...argv], { input, timeoutMs: 120_000 });

async function mustKubectl(argv: readonly string[], input = ''): Promise<string> {
  const { code, stdout, stderr } = await kubectl(argv, input);
  if (code !== 0) throw new Error(`kubectl ${argv.join(' ')}: ${stderr}`);
  return stdout;
}

const listOf = (items: readonly object[]) => JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
const fromYaml = (text: string) => parseAllDocuments(text).map((document) => document.toJS() as Manifest);

const VERSIONS: Readonly<Record<string, string>> = {
  BGPPeer: 'metallb.io/v1beta2',
  AddressReservation: 'heraldlb.io/v1alpha1',
  AddressQuota: 'heraldlb.io/v1alpha1',
};

const manifestOf = ({ kind, spec: fields }: Case, name: string): Manifest => ({
  apiVersion: VERSIONS[kind] ?? 'metallb.io/v1beta1',
  kind,
  metadata: { name, namespace: NAMESPACE },
  spec: fields,
});

/** Creates all objects in one dry run: what the API server would store, and what it says of each that it refuses. */
async function dryRun(manifests: string, ...options: readonly string[]) {
  const { stdout, stderr } = await kubectl(
    ['create', '--dry-run=server', '-o', 'yaml', ...options, '-f', '-'],
    manifests,
  );
  const stored = fromYaml(stdout).flatMap((document) =>
    document?.kind === 'List' ? (document['items'] as Manifest[]) : (document ?? []),
  );
  // kubectl begins the answer for each refused object like this, and may go on over several lines.
  const sentences = stderr.split(/^(?=Error from server|The \w+ ")/m);
  return {
    stored: (name: string) => stored.find(({ metadata }) => metadata.name === name),
    refusal: (name: string) => sentences.find((sentence) => sentence.includes(` "${name}" is invalid`)),
    everythingSaid: stderr,
  };
}

/** The paths at which `stored` lacks or changes what `given` says; what only the API server adds is no difference. */
function lost(given: unknown, stored: unknown, path = '$'): string[] {
  // Go, and the API server with it, takes null for absent.
  if (given === null || given === undefined) return [];
  if (typeof given !== 'object') return Object.is(given, stored) ? [] : [`${path}: ${given} became ${stored}`];
  const inner = (stored ?? {}) as Record<string, unknown>;
  return Object.entries(given).flatMap(([key, value]) => lost(value, inner[key], `${path}.${key}`));
}

const once = <T>(make: () => Promise<T>) => {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
};
const nameOf = (set: string, index: number) => `${set}-${index}`;

/** Whether the namespace of the published manifests had to be made for them. */
const ready = once(async () => {
  const crds = `${repository}/cdk8s/dist/crds`;
  await mustKubectl(['apply', '--server-side', '--force-conflicts', '-k', crds]);
  await mustKubectl(['wait', '--for=condition=Established', '--timeout=60s', '-f', `${crds}/crds.yaml`]);
  // What an interrupted run left behind is still going.
  await mustKubectl(['delete', 'namespace', NAMESPACE, '--ignore-not-found', '--timeout=60s']);
  await mustKubectl(['create', 'namespace', NAMESPACE]);
  return (await kubectl(['create', 'namespace', FOREIGN])).code === 0;
});
const dryRunOf = (set: string, cases: readonly Case[]) =>
  once(async () => {
    await ready();
    const manifests = cases.map((one, index) => manifestOf(one, nameOf(set, index)));
    // Without kubectl's own check, so that it is the API server that answers, and for each object.
    return dryRun(listOf(manifests), '--validate=false');
  });
const refusals = dryRunOf('refused', refused);
const acceptances = dryRunOf('accepted', accepted);

spec(
  'crd rules',
  (test) => {
    test('the definitions are accepted, with their rules and within the cost that the API server allows', ready);

    for (const [index, { name, says }] of refused.entries()) {
      test(`refuses ${name}`, async () => {
        const { refusal, stored, everythingSaid } = await refusals();
        assert.is(stored(nameOf('refused', index)), undefined, 'it was accepted');
        const said = refusal(nameOf('refused', index));
        assert.ok(said?.includes(says), said ?? everythingSaid);
      });
    }

    for (const [index, { name }] of accepted.entries()) {
      test(`accepts ${name}`, async () => {
        const { stored, refusal, everythingSaid } = await acceptances();
        const name = nameOf('accepted', index);
        assert.ok(stored(name), refusal(name) ?? everythingSaid);
      });
    }

    for (const file of readdirSync(CORPUS).filter((entry) => entry.endsWith('.yaml'))) {
      test(`takes ${file} as it stands`, async () => {
        await ready();
        const text = readFileSync(new URL(file, CORPUS), 'utf8');
        const { stored, everythingSaid } = await dryRun(text);
        for (const given of fromYaml(text)) {
          const kept = stored(given.metadata.name);
          assert.ok(kept, `${given.metadata.name}: ${everythingSaid}`);
          assert.equal(lost({ ...given, apiVersion: kept?.apiVersion }, kept), [], given.metadata.name);
        }
      });
    }

    test('a new object is in progress from birth', async () => {
      const kept = (await acceptances()).stored(nameOf('accepted', 0)) as
        | undefined
        | { status?: { conditions?: object[] } };
      const conditions = (kept?.status?.conditions ?? []) as { type: string; status: string }[];
      assert.equal(
        conditions.map(({ type, status }) => `${type}=${status}`),
        ['Ready=Unknown', 'Reconciling=True'],
      );
    });

    test('the first status that is applied replaces the conditions from birth', async () => {
      await ready();
      const peer = manifestOf({ name: '', kind: 'BGPPeer', spec: PEER }, 'birth');
      const { spec: _spec, ...meta } = peer;
      const condition = { type: 'Ready', status: 'True', reason: 'Serving', message: 'm', lastTransitionTime: NOON };
      await mustKubectl(['create', '-f', '-'], listOf([peer]));
      const apply = ['apply', '--server-side', '--subresource=status', '--field-manager=e2e', '--force-conflicts'];
      const status = JSON.stringify({ ...meta, status: { conditions: [condition] } });
      const kept = JSON.parse(await mustKubectl([...apply, '-o', 'json', '-f', '-'], status));
      assert.equal(kept.status.conditions, [condition]);
    });

    test('refuses to switch graceful restart on an existing peer', async () => {
      await ready();
      const peer = manifestOf({ name: '', kind: 'BGPPeer', spec: PEER }, 'switch');
      await mustKubectl(['apply', '-f', '-'], listOf([peer]));
      const changed = { ...peer, spec: { ...PEER, enableGracefulRestart: false } };
      const { stderr } = await kubectl(['apply', '-f', '-'], listOf([changed]));
      assert.match(stderr, /enableGracefulRestart cannot be changed after creation/);
    });

    test('refuses to give a ServiceL2Status another Service, and lets another node take it over', async () => {
      await ready();
      const status = { apiVersion: 'metallb.io/v1beta1', kind: 'ServiceL2Status', metadata: METADATA };
      await mustKubectl(['apply', '-f', '-'], listOf([status]));
      const patch = (change: object) =>
        kubectl([
          ...['patch', 'servicel2status', METADATA.name, '-n', NAMESPACE, '--subresource=status', '--type=merge'],
          ...['-p', JSON.stringify({ status: change })],
        ]);
      assert.is((await patch({ node: 'a', serviceName: 'web', serviceNamespace: 'shop' })).code, 0);
      assert.is((await patch({ node: 'b' })).code, 0);
      assert.match((await patch({ serviceName: 'api' })).stderr, /serviceName cannot be changed/);
      assert.match((await patch({ serviceNamespace: 'other' })).stderr, /serviceNamespace cannot be changed/);
    });

    test('kubectl get herald lists every kind that users write, with Ready and Reason', async () => {
      await ready();
      const listed = await mustKubectl(['get', 'herald', '-n', NAMESPACE]);
      assert.match(
        listed,
        /^NAME +READY +REASON +AGE\nbgppeer\.metallb\.io\/birth +\w+ +\w+ +\w+\nbgppeer\.metallb\.io\/switch +\w+ +\w+ +\w+\n$/,
      );
    });

    test('and leaves nothing behind', async () => {
      const made = (await ready()) ? [NAMESPACE, FOREIGN] : [NAMESPACE];
      await mustKubectl(['delete', 'namespace', ...made, '--timeout=100s']);
    });
  },
  { timeoutMs: 180_000 },
);

const PEER = { myASN: 64_512, peerASN: 64_513, peerAddress: '192.0.2.1', enableGracefulRestart: true };
const NOON = '2026-01-01T12:00:00Z';
const METADATA = { name: 'l2-rules', namespace: NAMESPACE };

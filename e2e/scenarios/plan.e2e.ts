/** `herald plan` against the cluster: what it says is what then happens, and a change that breaks ends with 3 and the hash. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { NAMESPACE } from '../lib/herald.ts';
import { herald } from '../lib/herald-command.ts';
import { collection, type KubeObject } from '../lib/kube-api.ts';
import { scenario } from '../lib/scenario.ts';
import { waitFor } from '../lib/wait-for.ts';
import { webService } from '../lib/web.ts';
import { conditionOf, METALLB, type World } from '../lib/world.ts';

interface ServiceOutcome {
  readonly service: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly owners: readonly { readonly address: string; readonly before?: string; readonly after?: string }[];
}

/** As `herald plan -o json` prints it. */
interface Plan {
  readonly outcome: string;
  readonly services: readonly ServiceOutcome[];
  readonly ifAllowed: readonly ServiceOutcome[];
  readonly disruptions: readonly { readonly pool: string; readonly annotation: string; readonly hash: string }[];
}

/** Runs the command on objects in a file of their own. */
async function plan(...objects: readonly KubeObject[]): Promise<{ code: number | null; plan: Plan; text: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'herald-plan-'));
  try {
    const file = join(folder, 'change.json');
    writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
    const [json, text] = await Promise.all([herald('plan', '-f', file, '-o', 'json'), herald('plan', '-f', file)]);
    if (json.stdout === '') throw new Error(json.stderr);
    return { code: json.code, plan: JSON.parse(json.stdout) as Plan, text: text.stdout };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const poolOf = (world: World, addresses: readonly string[], annotations = {}): KubeObject => {
  const spec = { addresses, serviceAllocation: { namespaces: [world.namespace] } };
  const pool = world.configObject('IPAddressPool', world.name, spec);
  return { ...pool, metadata: { ...pool.metadata, annotations } };
};
const advertisementOf = (world: World, spec: Record<string, unknown> = {}): KubeObject =>
  world.configObject('L2Advertisement', world.name, { ipAddressPools: [world.name], ...spec });

/** The addresses of the slice, from the one at `first` on. */
const rangeOf = ({ free }: World, first: number): string =>
  `${free.IPv4.addresses[first]}-${free.IPv4.addresses.at(-1)}`;

const NAMES = ['one', 'two', 'three'] as const;
const keyOf = (world: World, name: string): string => `${world.namespace}/${name}`;

/** Waits until every Service of the plan has the addresses that it foresees, and all nodes answer as foreseen. */
async function comesTrue(world: World, services: readonly ServiceOutcome[]): Promise<void> {
  for (const { service, after, owners } of services) {
    const name = service.split('/')[1] ?? '';
    await waitFor(
      `${name} has ${after.join()}`,
      { withinMs: 10_000, everyMs: 50 },
      () => world.addressesNow(name),
      (addresses) => addresses.join() === after.join(),
    );
    for (const { address, after: node } of owners)
      await waitFor(
        `${node} answers for ${address}`,
        { withinMs: 10_000, everyMs: 100 },
        async () => (await world.owner(address)).name,
        (owner) => owner === node,
      );
  }
}

scenario('plan', (test) => {
  /** The plan of the change that the operator refuses. */
  let refused: Plan | undefined;

  test('three Services are in service', async (world) => {
    await world.api.apply(poolOf(world, [world.free.IPv4.range]));
    await world.api.apply(advertisementOf(world));
    await world.web();
    for (const name of NAMES) {
      await world.service({ name, families: ['IPv4'] });
      await world.addressesOf(name);
    }
  });

  test('what is there already changes nothing', async (world) => {
    const same = await plan(poolOf(world, [world.free.IPv4.range]), advertisementOf(world));
    assert.equal([same.code, same.plan.outcome, same.plan.services], [0, 'Nothing', []], same.text);
  });

  test('a new Service gets the address, from the node, that the plan says', async (world) => {
    const written = webService({ namespace: world.namespace, name: 'four', families: ['IPv4'] });
    const { code, plan: foreseen, text } = await plan(written);
    assert.equal([code, foreseen.services.map(({ service }) => service)], [2, [keyOf(world, 'four')]], text);
    await world.api.create(written);
    await comesTrue(world, foreseen.services);
  });

  test('a change of the nodes moves what the plan says, and nothing else', async (world) => {
    const [worker] = world.workers;
    const nodeSelectors = [{ matchLabels: { 'kubernetes.io/hostname': worker?.name ?? '' } }];
    const change = advertisementOf(world, { nodeSelectors });
    const owners = await Promise.all(
      NAMES.map(async (name) => (await world.owner((await world.addressesNow(name))[0] ?? '')).name),
    );
    const { code, plan: foreseen, text } = await plan(change);
    const moving = NAMES.filter((_, at) => owners[at] !== worker?.name).map((name) => keyOf(world, name));
    assert.is(code, 2, text);
    for (const key of moving)
      assert.ok(
        foreseen.services.some(({ service }) => service === key),
        text,
      );
    await world.api.apply(change);
    await comesTrue(world, foreseen.services);
  });

  test('a change that breaks ends with 3 and the hash, and the operator refuses it with the same one', async (world) => {
    const before = await world.addressesNow('one');
    const change = poolOf(world, [rangeOf(world, 1)]);
    const { code, plan: foreseen, text } = await plan(change);
    const [disruption] = foreseen.disruptions;
    refused = foreseen;
    assert.equal([code, foreseen.services, disruption?.pool], [3, [], `${NAMESPACE}/${world.name}`], text);
    assert.ok(text.includes(`heraldlb.io/allow-disruption: "${disruption?.hash}"`), text);
    await world.api.apply(change);
    const refusal = await waitFor(
      'the operator refuses the change',
      { withinMs: 5_000, everyMs: 50 },
      async () =>
        conditionOf(await world.api.get(`${collection(METALLB, 'IPAddressPool', NAMESPACE)}/${world.name}`), 'Ready'),
      (ready) => ready?.reason === 'WouldBreakServices',
    );
    assert.ok(refusal?.message.includes(disruption?.hash ?? 'no hash'), refusal?.message);
    assert.equal(await world.addressesNow('one'), before);
  });

  test('with the hash beside it the change is taken, and does what the plan said it would', async (world) => {
    const annotations = { 'heraldlb.io/allow-disruption': refused?.disruptions[0]?.hash };
    const allowed = poolOf(world, [rangeOf(world, 1)], annotations);
    const { code, plan: foreseen, text } = await plan(allowed);
    assert.is(code, 2, text);
    assert.equal(
      foreseen.services.map(({ service, after }) => [service, after]),
      refused?.ifAllowed.map(({ service, after }) => [service, after]),
    );
    await world.api.apply(allowed);
    await comesTrue(world, foreseen.services);
  });

  test('lint says where a file is wrong, without a cluster', async (world) => {
    const folder = mkdtempSync(join(tmpdir(), 'herald-lint-'));
    try {
      const { metadata, spec } = poolOf(world, ['192.0.2.0/33']);
      const wrong = { apiVersion: METALLB, kind: 'IPAddressPool', metadata, spec: { ...spec, autoAsign: true } };
      writeFileSync(join(folder, 'pool.json'), JSON.stringify(wrong, null, 2));
      const { code, stdout } = await herald('lint', '-f', folder);
      assert.is(code, 1, stdout);
      assert.match(stdout, /pool\.json:\d+: IPAddressPool .*spec\.autoAsign: is no field: did you mean autoAssign\?/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

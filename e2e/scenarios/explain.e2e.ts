/** `herald explain` names the true cause of every refusal, from what the operator and the speakers wrote. */

import * as assert from 'uvu/assert';
import { causes, configuration, holders, type RefusedService } from '../lib/causes.ts';
import { herald, heraldJson } from '../lib/herald-command.ts';
import { kubectl } from '../lib/lab.ts';
import { scenario } from '../lib/scenario.ts';
import { waitFor } from '../lib/wait-for.ts';
import type { World } from '../lib/world.ts';

/** As `herald explain -o json` prints it. */
interface Explanation {
  readonly summary: string;
  readonly reason?: string;
  readonly steps: readonly {
    readonly name: string;
    readonly answer: string;
    readonly message: string;
    readonly source: string;
    readonly details: readonly { readonly subject: string; readonly verdict: string; readonly reason?: string }[];
  }[];
  readonly remedies: readonly string[];
}

/** The command takes most of a second of a processor: so many at once. */
const AT_ONCE = 3;
/** Reports of speakers and their roll-up take a few seconds; a cluster that starts 40 Services at once more. */
const WITHIN_MS = 40_000;
const EXCLUDED = 'node.kubernetes.io/exclude-from-external-load-balancers';

const patchNode = (name: string, ...how: string[]): Promise<string> => kubectl('patch', 'node', name, ...how);
const label = (name: string, value: '' | null): Promise<string> =>
  patchNode(name, '-p', JSON.stringify({ metadata: { labels: { [EXCLUDED]: value } } }));
const network = (name: string, condition: object): Promise<string> => {
  const change = { status: { conditions: [{ type: 'NetworkUnavailable', ...condition }] } };
  return patchNode(name, '--subresource=status', '--type=strategic', '-p', JSON.stringify(change));
};

/** One node may not announce by its label, another has no network, while `body` runs. */
async function withUnfitNodes(world: World, body: () => Promise<void>): Promise<void> {
  const [first = '', second = ''] = world.workers.map(({ name }) => name);
  const now = new Date().toISOString();
  const told = { reason: 'Scenario', message: 'the scenario explain says so', lastTransitionTime: now };
  try {
    await label(first, '');
    await network(second, { status: 'True', ...told });
    await body();
  } finally {
    await label(first, null);
    await network(second, { $patch: 'delete' });
  }
}

async function explained(world: World, { name, reason, detail }: RefusedService): Promise<Explanation> {
  return waitFor(
    `explain ${name} says ${reason}`,
    { withinMs: WITHIN_MS, everyMs: 500 },
    () => heraldJson<Explanation>('explain', `${world.namespace}/${name}`),
    ({ reason: found, steps }) =>
      found === reason &&
      (!detail || (steps.at(-1)?.details ?? []).some((one) => one.subject === detail[0] && one.reason === detail[1])),
  );
}

/** Works through a list, some at once. */
async function forEach<T>(list: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...list];
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

scenario(
  'explain',
  (test) => {
    test('names the cause of every refusal', async (world) => {
      const all = causes(world);
      const told = new Set(all.map(({ reason, detail }) => `${reason} ${detail?.[1] ?? ''}`));
      assert.ok(told.size >= 25, `${told.size} different refusals`);
      // On the node without a network, so that those which may announce have no endpoint.
      await world.web({ node: world.workers[1]?.name ?? '' });
      await configuration(world, 'first');
      for (const { name, ...more } of holders(world)) await world.service({ name, ...more });
      for (const { name } of holders(world)) await world.addressesOf(name);
      await configuration(world, 'changed');
      await Promise.all(all.map(({ name, service }) => world.service({ name, ...service })));
      await withUnfitNodes(world, () =>
        forEach(all, async (cause) => {
          const { summary, reason, steps } = await explained(world, cause);
          const broken = steps.at(-1);
          console.log(`${cause.name}: ${summary}: ${reason}; ${broken?.message}`);
          assert.is.not(broken?.answer, 'yes');
          // Type and class are in the Service itself; everything else somebody wrote.
          if (broken?.name !== 'service') assert.is.not(broken?.source, 'computed', cause.name);
        }),
      );
    });

    test('says what would help, and tells the chain of a Service that works', async (world) => {
      const { code, stdout } = await herald('explain', `${world.namespace}/in-use`);
      console.log(stdout);
      console.log((await herald('explain', `${world.namespace}/local`)).stdout);
      assert.is(code, 0);
      assert.match(stdout, /what would help/);
      const [name] = holders(world).map((one) => one.name);
      const works = await waitFor(
        'a Service that is announced is explained too',
        { withinMs: WITHIN_MS, everyMs: 500 },
        () => heraldJson<Explanation>('explain', `${world.namespace}/${name}`),
        // Once the nodes are fit again, the first in order.
        ({ steps }) => steps.at(-1)?.name === 'announced' && steps.at(-1)?.details[0]?.verdict === 'announces',
      );
      assert.is(works.reason, undefined);
      console.log((await herald('explain', `${world.namespace}/${name}`)).stdout);
    });

    test('explains a pool that keeps its content, and status and events tell the same', async (world) => {
      const pool = await heraldJson<Explanation>('explain', `pool/${world.name}-break`);
      assert.is(pool.reason, 'WouldBreakServices', JSON.stringify(pool));
      const { stdout } = await herald('status');
      console.log(stdout);
      assert.match(stdout, /PROBLEMS/);
      assert.match(stdout, new RegExp(`pool ${world.name}-break +WouldBreakServices`));
      const events = await herald('events', `${world.namespace}/in-use`);
      console.log(events.stdout);
      assert.match(events.stdout, /AllocationFailed/);
    });
  },
  120_000,
);

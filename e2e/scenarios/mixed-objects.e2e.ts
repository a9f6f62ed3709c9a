/** A hundred objects of mixed validity at once: each is told soon and rightly, and kstatus understands what it is told. */

import * as assert from 'uvu/assert';
import { NAMESPACE } from '../lib/herald.ts';
import { kstatusOf } from '../lib/kstatus.ts';
import { collection, type KubeObject, pathOf } from '../lib/kube-api.ts';
import { type Fate, type MixedObject, mixedObjects, seedsOf, surroundingsOf } from '../lib/mixed-objects.ts';
import { Observer, type Sighting } from '../lib/observer.ts';
import { scenario } from '../lib/scenario.ts';
import { pause, waitFor } from '../lib/wait-for.ts';
import { CONFIG_KINDS, conditionOf, METALLB, type World } from '../lib/world.ts';

/** From the watch event of the creation to the one of the status, both as this test receives them. */
const FIRST_STATUS_MS = 100;
/** Single objects may meet a decision that is being stored: two cores run the whole cluster and the test. */
const FIRST_STATUS_AT_MOST_MS = 500;
const FINAL_MS = 2_000;
/**
 * Where the machine is busy with others, what a creation takes in the same run says how busy: half of the statuses come
 * within so many of them, all within so many, and the hundred final ones, each of which is a request too, within these.
 */
const REQUESTS = { median: 30, last: 100, final: 200 } as const;

/** kstatus' word for each fate; a kind without a backend is a dead end, which is what its users must be told. */
const KSTATUS: Readonly<Record<Fate, string>> = {
  good: 'Current',
  waiting: 'InProgress',
  refused: 'Failed',
  'no backend': 'Failed',
};

const keyOf = ({ kind, metadata }: KubeObject): string => `${kind}/${metadata.name}`;
const isTold = ({ status, metadata }: KubeObject): boolean => status?.observedGeneration === metadata.generation;
const isFinal = ({ object: { kind, metadata }, type, reason }: MixedObject, seen: KubeObject): boolean =>
  kind === seen.kind &&
  metadata.name === seen.metadata.name &&
  isTold(seen) &&
  conditionOf(seen, type)?.reason === reason;

/** Everything that was seen of the hundred, in order. */
class Sightings {
  readonly #observers: readonly Observer[];
  private constructor(observers: readonly Observer[]) {
    this.#observers = observers;
  }

  static async start(world: World): Promise<Sightings> {
    return new Sightings(await Promise.all(CONFIG_KINDS.map((kind) => Observer.start(world.api, world.ownPath(kind)))));
  }

  final(one: MixedObject): Promise<Sighting> {
    const what = `${keyOf(one.object)}: ${one.type} ${one.reason}`;
    const observer = this.#observers[CONFIG_KINDS.findIndex((kind) => kind === one.object.kind)];
    if (!observer) throw new Error(`nobody watches ${one.object.kind}`);
    return observer.first(what, 10_000, ({ object }) => isFinal(one, object));
  }

  /** The first sighting by object that `isIt` likes. */
  first(isIt: (object: KubeObject) => boolean): ReadonlyMap<string, Sighting> {
    const found = new Map<string, Sighting>();
    for (const sighting of this.#observers.flatMap(({ sightings }) => sightings))
      if (isIt(sighting.object) && !found.has(keyOf(sighting.object))) found.set(keyOf(sighting.object), sighting);
    return found;
  }

  stop(): void {
    for (const observer of this.#observers) observer.stop();
  }
}

/** How long each object waited from its first sighting until `ends`, sorted, milliseconds. */
function waitsOf(
  objects: readonly MixedObject[],
  born: ReadonlyMap<string, Sighting>,
  ends: (one: MixedObject) => Sighting | undefined,
): readonly number[] {
  return objects
    .map((one) => (ends(one)?.atMs ?? Number.NaN) - (born.get(keyOf(one.object))?.atMs ?? Number.NaN))
    .toSorted((a, b) => a - b);
}

const inWords = (waits: readonly number[]): string => {
  const [median, last] = [waits[Math.floor(waits.length / 2)], waits.at(-1)];
  return `median ${median?.toFixed(0)} ms, last ${last?.toFixed(0)} ms`;
};

/** How long the hundred waited, and the first and the last that was seen of each. */
interface Told {
  readonly firstStatus: readonly number[];
  readonly final: readonly number[];
  readonly births: readonly KubeObject[];
  readonly ends: readonly KubeObject[];
  /** When the last request was answered. */
  readonly createdAtMs: number;
}

/** Has `create` make the objects, and waits until each was told what it shall be told. */
async function told(world: World, objects: readonly MixedObject[], create: () => Promise<unknown>): Promise<Told> {
  const sightings = await Sightings.start(world);
  try {
    await create();
    const createdAtMs = performance.now();
    const finals = await Promise.all(objects.map((one) => sightings.final(one)));
    const first = sightings.first(() => true);
    const statuses = sightings.first(isTold);
    return {
      firstStatus: waitsOf(objects, first, ({ object }) => statuses.get(keyOf(object))),
      final: waitsOf(objects, first, (one) => finals[objects.indexOf(one)]),
      births: objects.flatMap(({ object }) => first.get(keyOf(object))?.object ?? []),
      ends: finals.map(({ object }) => object),
      createdAtMs,
    };
  } finally {
    sightings.stop();
  }
}

/** Of a sorted list. @throws an Error where something was not measured */
function assertWithin(waits: readonly number[], limits: { readonly median?: number; readonly last: number }): void {
  const [median, last] = [waits[Math.floor(waits.length / 2)] ?? Number.NaN, waits.at(-1) ?? Number.NaN];
  assert.ok(median <= (limits.median ?? limits.last) && last <= limits.last, inWords(waits));
}

let objects: readonly MixedObject[] = [];
let births: readonly KubeObject[] = [];
let ends: readonly KubeObject[] = [];

scenario('mixed-objects', (test) => {
  test('a hundred requests at the same moment are all answered rightly', async (world) => {
    for (const seed of seedsOf(world)) await world.api.create(seed);
    // Ages have whole seconds.
    await pause(1_100);
    objects = mixedObjects(world, await surroundingsOf(world));
    assert.is(objects.length, 100);
    const beganAt = performance.now();
    const all = await told(world, objects, () => Promise.all(objects.map(({ object }) => world.api.create(object))));
    console.log(`at the same moment: first status ${inWords(all.firstStatus)}; final: ${inWords(all.final)}`);
    // Two requests for each object share the API server: what the creations took at once says how fast it is.
    assertWithin(all.final, { last: Math.max(FINAL_MS, 5 * (all.createdAtMs - beganAt)) });
    await Promise.all(objects.map(({ object }) => world.api.delete(pathOf(object))));
    const left = async (): Promise<number> =>
      (await Promise.all(CONFIG_KINDS.map((kind) => world.api.list(world.ownPath(kind))))).flat().length;
    const seeds = seedsOf(world).length;
    await waitFor('the hundred are gone', { withinMs: 10_000, everyMs: 100 }, left, (count) => count === seeds);
  });

  test('a hundred objects of one apply have their first status and their final one in time', async (world) => {
    const beganAt = performance.now();
    // One request after the other, as kubectl and Flux apply.
    const all = await told(world, objects, async () => {
      for (const { object } of objects) await world.api.create(object);
    });
    ({ births, ends } = all);
    console.log(`first status of 100 objects: ${inWords(all.firstStatus)}; final: ${inWords(all.final)}`);
    const requestMs = (all.createdAtMs - beganAt) / objects.length;
    console.log(`a creation took ${requestMs.toFixed(1)} ms`);
    assertWithin(all.firstStatus, {
      median: Math.max(FIRST_STATUS_MS, REQUESTS.median * requestMs),
      last: Math.max(FIRST_STATUS_AT_MOST_MS, REQUESTS.last * requestMs),
    });
    assertWithin(all.final, { last: Math.max(FINAL_MS, REQUESTS.final * requestMs) });
  });

  test('kstatus calls each of them in progress at birth', async () => {
    assert.is(births.length, 100);
    const verdicts = await kstatusOf(births);
    const wrong = births.filter((_, at) => verdicts[at]?.status !== 'InProgress').map(keyOf);
    assert.equal(wrong, []);
  });

  test('kstatus calls what is good Current, what waits InProgress and what is refused Failed', async () => {
    assert.is(ends.length, 100);
    const verdicts = await kstatusOf(ends);
    const wrong = objects.flatMap(({ object, fate }, at) =>
      verdicts[at]?.status === KSTATUS[fate] ? [] : [`${keyOf(object)} is ${fate}: ${verdicts[at]?.status}`],
    );
    assert.equal(wrong, []);
    for (const fate of Object.keys(KSTATUS))
      assert.ok(
        objects.some((one) => one.fate === fate),
        fate,
      );
  });

  test('kstatus calls a changed object in progress until its new spec was looked at', async (world) => {
    const path = `${collection(METALLB, 'IPAddressPool', NAMESPACE)}/${world.name}-serving-0`;
    const observer = await Observer.start(world.api, world.ownPath('IPAddressPool'));
    try {
      const changed = await world.api.patch(path, { spec: { avoidBuggyIPs: true } });
      const isIt = ({ object }: Sighting): boolean =>
        object.metadata.name === changed.metadata.name && object.metadata.generation === changed.metadata.generation;
      const before = await observer.first('the change', 5_000, isIt);
      const after = await observer.first('its status', 5_000, (seen) => isIt(seen) && isTold(seen.object));
      const verdicts = await kstatusOf([before.object, after.object]);
      assert.equal(
        verdicts.map(({ status }) => status),
        ['InProgress', 'Current'],
      );
    } finally {
      observer.stop();
    }
  });

  test('the ConfigurationState of the operator names each object at fault, and forgets it when it is gone', async (world) => {
    const path = `${collection(METALLB, 'ConfigurationState', NAMESPACE)}/controller`;
    const name = `${world.name}-overlapsservicerange-0`;
    const summary = async (): Promise<string> => (await world.api.get(path))['status'].errorSummary ?? '';
    const within = { withinMs: 5_000, everyMs: 100 };
    await waitFor('the pool is named', within, summary, (text) =>
      text.includes(`IPAddressPool ${NAMESPACE}/${name}: `),
    );
    assert.is((await world.api.get(path))['status'].result, 'Invalid');
    await world.api.delete(`${collection(METALLB, 'IPAddressPool', NAMESPACE)}/${name}`);
    await waitFor('the pool is forgotten', within, summary, (text) => !text.includes(name));
    await world.api.delete(path);
    await waitFor('it is there again', within, summary, (text) => text.includes(world.name));
  });

  test('a peer waits for its Secret, and sees it come', async (world) => {
    const name = `${world.name}-secretnotfound-0`;
    const secret = `/api/v1/namespaces/${NAMESPACE}/secrets/mixed-objects-nowhere`;
    const refs = async (): Promise<string | undefined> =>
      conditionOf(
        await world.api.get(`${collection('metallb.io/v1beta2', 'BGPPeer', NAMESPACE)}/${name}`),
        'ResolvedRefs',
      )?.reason;
    assert.is(await refs(), 'SecretNotFound');
    try {
      await world.api.createAt(`/api/v1/namespaces/${NAMESPACE}/secrets`, {
        metadata: { name: 'mixed-objects-nowhere', namespace: NAMESPACE },
        type: 'kubernetes.io/basic-auth',
        stringData: { username: '', password: 'for-a-test' },
      });
      await waitFor('the Secret is found', { withinMs: 15_000, everyMs: 200 }, refs, (reason) => reason === 'Resolved');
    } finally {
      await world.api.delete(secret);
    }
  });
});

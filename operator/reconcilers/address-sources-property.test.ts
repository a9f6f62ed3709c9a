import fc from 'fast-check';
import { AddressServer } from '../../testing/address-server.ts';
import { poolObject } from '../../testing/config-objects.ts';
import { spec } from '../../testing/spec.ts';
import { FakeWorld } from './testing/fake-world.ts';
import { SourceStage } from './testing/source-stage.ts';
import { endsWell, type Step, type StoryStage, someSteps } from './testing/source-story.ts';
import { service } from './testing/stories.ts';

const RUNS = Number(process.env['RUNS'] ?? 10);
/** What came too late is found by the list. */
const LIST_EVERY_MS = 100;
const DUAL = { clusterIPs: ['10.96.0.1', 'fd00::1'], ipFamilyPolicy: 'RequireDualStack' } as const;

/** Sources alone: an allocator of a few lines, and leaders of which the former one still has requests on their way. */
async function alone(steps: readonly Step[]): Promise<void> {
  const stage = await SourceStage.open();
  stage.listEveryMs = LIST_EVERY_MS;
  const { server } = stage;
  try {
    stage.lead();
    await endsWell(
      {
        server,
        get wanted() {
          return [...stage.services.values()].reduce((sum, { families }) => sum + families.length, 0);
        },
        get assigned() {
          return stage.assigned;
        },
        get claimed() {
          return stage.claimed;
        },
        create: (name, isDual) => {
          if (!stage.services.has(`shop/${name}`)) stage.create(name, { families: isDual ? [4, 6] : [4] });
        },
        remove: (name) => stage.remove(name),
        lead: () => stage.lead(),
        replaceLeader: () => stage.replaceLeader(),
        kill: () => stage.kill(),
        loseWrites: () => {
          stage.isWriteLost = true;
        },
        keepWrites: () => {
          stage.isWriteLost = false;
        },
      },
      steps,
    );
  } finally {
    await stage.close();
  }
}

/** The whole operator, in a cluster in memory. */
class Whole implements StoryStage {
  readonly server: AddressServer;
  readonly #world = new FakeWorld();
  #born = 0;

  constructor(server: AddressServer) {
    this.server = server;
    const source = { http: { url: server.url } };
    this.#world.put(this.#world.stores.pools, poolObject('a', ['10.0.0.0/24', '2001:db8::/64'], { source }));
    this.lead();
  }

  get #services() {
    return this.#world.stores.services.list();
  }
  get wanted(): number {
    return this.#services.reduce((sum, { spec }) => sum + (spec.clusterIPs?.length ?? 0), 0);
  }
  get assigned(): readonly string[] {
    return this.#services
      .flatMap(({ metadata: { name } }) =>
        this.#world.addressesOf(`shop/${name}`).map((address) => `${name} ${address}`),
      )
      .sort();
  }
  get claimed(): readonly string[] {
    return [...this.server.claims.values()].map(({ service: { name }, address }) => `${name} ${address}`).sort();
  }
  create(name: string, isDual: boolean): void {
    if (this.#world.stores.services.get(`shop/${name}`)) return;
    this.#born += 1;
    const { metadata, ...rest } = service(name, isDual ? { spec: DUAL } : {});
    this.#world.put(this.#world.stores.services, { ...rest, metadata: { ...metadata, uid: `uid-${this.#born}` } });
  }
  remove(name: string): void {
    this.#world.remove(this.#world.stores.services, `shop/${name}`);
  }
  lead(): void {
    this.#world.lead({}, { sources: { backoff: { baseMs: 5, capMs: 20 }, listEveryMs: LIST_EVERY_MS } });
  }
  async replaceLeader(): Promise<void> {
    await this.kill();
    this.lead();
  }
  kill(): Promise<void> {
    return this.#world.die();
  }
  loseWrites(): void {
    this.#world.isDown = true;
  }
  keepWrites(): void {
    this.#world.isDown = false;
  }
}

async function whole(steps: readonly Step[]): Promise<void> {
  const addresses = Array.from({ length: 12 }, (_, at) => [`10.0.0.${at + 1}`, `2001:db8::${at + 1}`]).flat();
  const server = await new AddressServer({ addresses }).start();
  const stage = new Whole(server);
  try {
    await endsWell(stage, steps);
  } finally {
    await stage.kill();
    await server.stop();
  }
}

spec(
  'whatever fails, each address of each living Service ends with one claim, none is lost and none doubled',
  (test) => {
    const check = (holds: (steps: readonly Step[]) => Promise<void>): Promise<void> =>
      fc.assert(fc.asyncProperty(someSteps(30), holds), { numRuns: RUNS, endOnFailure: true });
    test('by sources alone, with leaders that follow each other', () => check(alone));
    test('by the whole operator', () => check(whole));
  },
  { timeoutMs: 600_000 },
);

import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { spec } from '../../testing/spec.ts';
import { eventually } from '../cluster/testing/waiting.ts';
import { SourceStage } from './testing/source-stage.ts';

/** What may happen: people, the source, the operator. */
type Step =
  | { readonly do: 'create'; readonly name: string; readonly isDual: boolean }
  | { readonly do: 'remove'; readonly name: string }
  | { readonly do: 'fault'; readonly mode: (typeof MODES)[number]; readonly times: number; readonly delayMs: number }
  | { readonly do: Plain }
  | { readonly do: 'wait'; readonly ms: number };

type Plain = 'stop' | 'start' | 'kill' | 'lead' | 'replace' | 'loseWrites' | 'write';

const MODES = ['down', 'error', 'lost', 'late', 'slow', 'garbage'] as const;
const someName = fc.constantFrom('a', 'b', 'c', 'd');
const someStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('create' as const), name: someName, isDual: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('remove' as const), name: someName }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('fault' as const),
      mode: fc.constantFrom(...MODES),
      times: fc.integer({ min: 1, max: 4 }),
      delayMs: fc.constantFrom(20, 60, 150),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom<Plain>('stop', 'start', 'kill', 'lead', 'replace', 'loseWrites', 'write'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(2, 10, 60) }) },
);

class Story {
  readonly #stage: SourceStage;
  #isLed = true;

  constructor(stage: SourceStage) {
    this.#stage = stage;
  }

  async act(step: Step): Promise<void> {
    await this.#do(step);
    this.#assertNobodyShares();
  }

  async #do(step: Step): Promise<void> {
    const stage = this.#stage;
    const deeds: { readonly [D in Step['do']]: (step: Extract<Step, { do: D }>) => unknown } = {
      create: ({ name, isDual }) =>
        stage.services.has(`shop/${name}`) || stage.create(name, { families: isDual ? [4, 6] : [4] }),
      remove: ({ name }) => stage.remove(name),
      fault: (fault) => {
        stage.server.fault = fault;
      },
      stop: () => stage.server.stop(),
      start: () => this.start(),
      kill: () => this.#kill(),
      lead: () => this.lead(),
      replace: () => this.#isLed && stage.replaceLeader(),
      loseWrites: () => {
        stage.isWriteLost = true;
      },
      // A write is lost only with the operator that was about to send it.
      write: () => stage.isWriteLost && this.calmWrites(),
      wait: ({ ms }) => sleep(ms),
    };
    await (deeds[step.do] as (step: Step) => unknown)(step);
  }

  async start(): Promise<void> {
    await this.#stage.server.stop();
    await this.#stage.server.start();
  }

  async lead(): Promise<void> {
    if (!this.#isLed) this.#stage.lead();
    this.#isLed = true;
  }

  async calmWrites(): Promise<void> {
    await this.#kill();
    this.#stage.isWriteLost = false;
    await this.lead();
  }

  async #kill(): Promise<void> {
    await this.#stage.kill();
    this.#isLed = false;
  }

  #assertNobodyShares(): void {
    const addresses = this.#stage.assigned.map((line) => line.split(' ')[1]);
    if (new Set(addresses).size !== addresses.length) throw new Error(`shared: ${this.#stage.assigned.join(', ')}`);
  }
}

async function holds(steps: readonly Step[]): Promise<void> {
  const stage = await SourceStage.open();
  // What came too late is found by the list.
  stage.listEveryMs = 100;
  try {
    stage.lead();
    const story = new Story(stage);
    for (const step of steps) await story.act(step);
    stage.server.fault = { mode: 'none' };
    await story.start();
    await story.lead();
    if (stage.isWriteLost) await story.calmWrites();
    const wanted = [...stage.services.values()].reduce((sum, { families }) => sum + families.length, 0);
    const said = (): string => `assigned ${stage.assigned.join(', ')}; claimed ${stage.claimed.join(', ')}`;
    const isCalm = (): boolean => stage.assigned.length === wanted && stage.claimed.join() === stage.assigned.join();
    try {
      await eventually('each Service has its addresses, and they alone are claimed', isCalm, 4_000);
      // Requests that lingered in the source have come by now, and the list has been looked at.
      await sleep(250);
      await eventually('and it stays so', isCalm, 1_000);
    } catch (error) {
      throw new Error(`${(error as Error).message}: ${said()}`, { cause: error });
    }
  } finally {
    await stage.close();
  }
}

spec(
  'external sources, whatever fails',
  (test) => {
    test('end with one claim for each address of each living Service, none lost and none doubled', () =>
      fc.assert(fc.asyncProperty(fc.array(someStep, { minLength: 5, maxLength: 30 }), holds), {
        numRuns: Number(process.env['RUNS'] ?? 12),
        endOnFailure: true,
      }));
  },
  { timeoutMs: 600_000 },
);

/** Random histories of people, sources and operators, and what must hold when all is calm again. */

import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type { AddressServer } from '../../../testing/address-server.ts';
import { eventually } from '../../cluster/testing/waiting.ts';

type Plain = 'stop' | 'start' | 'kill' | 'lead' | 'replace' | 'loseWrites' | 'write';
export type Step =
  | { readonly do: 'create'; readonly name: string; readonly isDual: boolean }
  | { readonly do: 'remove'; readonly name: string }
  | { readonly do: 'fault'; readonly mode: (typeof MODES)[number]; readonly times: number; readonly delayMs: number }
  | { readonly do: Plain }
  | { readonly do: 'wait'; readonly ms: number };

const MODES = ['down', 'error', 'lost', 'late', 'slow', 'garbage'] as const;
const someName = fc.constantFrom('a', 'b', 'c', 'd');
const oneOf = <D extends Step['do'], T extends object>(
  weight: number,
  what: fc.Arbitrary<D>,
  more: { [K in keyof T]: fc.Arbitrary<T[K]> },
) => ({ weight, arbitrary: fc.record({ do: what, ...more }) as unknown as fc.Arbitrary<Step> });

/** A history of at most `maxLength` steps. */
export const someSteps = (maxLength: number): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.oneof(
      oneOf(4, fc.constant('create'), { name: someName, isDual: fc.boolean() }),
      oneOf(3, fc.constant('remove'), { name: someName }),
      oneOf(3, fc.constant('fault'), {
        mode: fc.constantFrom(...MODES),
        times: fc.integer({ min: 1, max: 4 }),
        delayMs: fc.constantFrom(20, 60, 150),
      }),
      oneOf(3, fc.constantFrom<Plain>('stop', 'start', 'kill', 'lead', 'replace', 'loseWrites', 'write'), {}),
      oneOf(3, fc.constant('wait'), { ms: fc.constantFrom(2, 10, 60) }),
    ),
    { minLength: 5, maxLength },
  );

/** Where a history takes place. */
export interface StoryStage {
  readonly server: AddressServer;
  /** How many addresses Services should have. */
  readonly wanted: number;
  /** 'web 192.0.2.1', sorted: what Services have, and what is claimed. */
  readonly assigned: readonly string[];
  readonly claimed: readonly string[];
  /** Adds a Service unless it is there. */
  create(name: string, isDual: boolean): void;
  remove(name: string): void;
  lead(): void;
  /** Another leads, while requests of the one before are on their way. */
  replaceLeader(): Promise<void> | void;
  kill(): Promise<void>;
  /** From now on no status is stored. */
  loseWrites(): void;
  /** Statuses are stored again, by an operator that begins anew if need be. */
  keepWrites(): Promise<void> | void;
}

class Story {
  readonly #stage: StoryStage;
  #isLed = true;

  constructor(stage: StoryStage) {
    this.#stage = stage;
  }

  async act(step: Step): Promise<void> {
    const stage = this.#stage;
    const deeds: { readonly [D in Step['do']]: (step: Extract<Step, { do: D }>) => unknown } = {
      create: ({ name, isDual }) => stage.create(name, isDual),
      remove: ({ name }) => stage.remove(name),
      fault: (fault) => {
        stage.server.fault = fault;
      },
      stop: () => stage.server.stop(),
      start: () => this.start(),
      kill: () => this.kill(),
      lead: () => this.lead(),
      replace: () => this.#isLed && stage.replaceLeader(),
      loseWrites: () => stage.loseWrites(),
      write: () => this.write(),
      wait: ({ ms }) => sleep(ms),
    };
    await (deeds[step.do] as (step: Step) => unknown)(step);
    this.#assertNobodyShares();
  }

  async start(): Promise<void> {
    await this.#stage.server.stop();
    await this.#stage.server.start();
  }

  lead(): void {
    if (!this.#isLed) this.#stage.lead();
    this.#isLed = true;
  }

  async kill(): Promise<void> {
    await this.#stage.kill();
    this.#isLed = false;
  }

  /** A write is lost only with the operator that was about to send it. */
  async write(): Promise<void> {
    await this.kill();
    await this.#stage.keepWrites();
    this.lead();
  }

  #assertNobodyShares(): void {
    const addresses = this.#stage.assigned.map((line) => line.split(' ')[1]);
    if (new Set(addresses).size !== addresses.length) throw new Error(`shared: ${this.#stage.assigned.join(', ')}`);
  }
}

/** @throws where in the end some Service has no address, or something else is claimed than Services have */
export async function endsWell(stage: StoryStage, steps: readonly Step[]): Promise<void> {
  const story = new Story(stage);
  for (const step of steps) await story.act(step);
  stage.server.fault = { mode: 'none' };
  await story.start();
  await story.write();
  const isCalm = (): boolean =>
    stage.assigned.length === stage.wanted && stage.claimed.join() === stage.assigned.join();
  try {
    await eventually('each Service has its addresses, and they alone are claimed', isCalm, 4_000);
    // Requests that lingered in the source have come by now, and the list has been looked at.
    await sleep(250);
    await eventually('and it stays so', isCalm, 1_000);
  } catch (error) {
    const said = `assigned ${stage.assigned.join(', ')}; claimed ${stage.claimed.join(', ')}`;
    throw new Error(`${(error as Error).message}: ${said}`, { cause: error });
  }
}

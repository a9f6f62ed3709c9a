/** What a benchmark scenario is. It uses only the Kubernetes API and the network, never what Herald has inside. */

import type { World } from '../../e2e/lib/world.ts';
import type { Bar, Measured, Unit } from '../report.ts';

export interface Bench {
  readonly world: World;
  readonly runs: number;
  /** Progress, a line each. */
  say(line: string): void;
  /** Kept beside the results for who wants to look closer. */
  detail(of: unknown): void;
}

export interface Scenario {
  readonly name: string;
  readonly unit: Unit;
  readonly runs: number;
  readonly explanation: string;
  readonly bar: Bar;
  run(bench: Bench): Promise<Measured>;
}

/** How fast addresses are decided, without the API server: the allocator's own code in a process of its own. */

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { repository } from '../../e2e/cluster/places.ts';
import { statisticsOf } from '../report.ts';
import type { Scenario } from './scenario.ts';

/** What the program prints: milliseconds of each run, and of each change. */
interface Printed {
  readonly scratch: readonly number[];
  readonly change: readonly number[];
  readonly floor: readonly number[];
  /** How many of the Services got nothing. */
  readonly waiting: number;
}

function measured(runs: number): Printed {
  const program = join(repository, 'testing/allocation-speed.ts');
  const printed = execFileSync(process.execPath, [program, String(runs)], { encoding: 'utf8', maxBuffer: 1 << 26 });
  return JSON.parse(printed) as Printed;
}

const floorOf = ({ floor }: Printed) => ({
  name: '10,000 requests sorted by age, each written into a map',
  median: statisticsOf(floor).median,
});

export const decide: Scenario = {
  name: 'alloc.decide.10000',
  unit: 'ms',
  runs: 10,
  explanation: '10,000 Services decided from scratch, with sharing, quotas and reservations in play',
  bar: { text: 'max < 100', holds: ({ max }) => max < 100 },
  async run({ runs, say }) {
    const printed = measured(runs);
    say(`${printed.waiting} of the Services wait, for quotas and full pools`);
    return { samples: printed.scratch, floor: floorOf(printed) };
  },
};

export const change: Scenario = {
  name: 'alloc.change.10000',
  unit: 'ms',
  runs: 1,
  explanation: 'one Service that comes or goes among 10,000, with sharing, quotas and reservations in play',
  bar: { text: 'p99 < 1', holds: ({ p99 }) => p99 < 1 },
  async run({ runs }) {
    const printed = measured(runs);
    return { samples: printed.change, floor: floorOf(printed) };
  },
};

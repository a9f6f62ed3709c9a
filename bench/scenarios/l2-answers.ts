/**
 * How soon a speaker answers, and how much. Between namespaces of this machine, because nothing else is fine enough: the
 * figures come from the test that holds both responders to their bars, which runs here as a program of its own.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repository } from '../../e2e/cluster/places.ts';
import { statisticsOf } from '../report.ts';
import type { Bench, Scenario } from './scenario.ts';

const PROGRAM = join(repository, 'operator/speaker/wire/answer-figures.netns.test.ts');
const REQUESTS = 2_000;

/** What the program keeps: microseconds, or counts of a flood. */
interface Figures {
  readonly 'l2.answer.kernel'?: readonly number[];
  readonly "the kernel's own ARP reply"?: readonly number[];
  readonly 'l2.answer.packet': readonly number[];
  readonly 'a plain C responder'?: readonly number[];
  readonly 'l2.flood'?: { readonly sent: number; readonly answered: number; readonly perPacket: number };
}

/** Measured once per run of `make bench`, so that all that is compared met the same machine. */
let measured: Figures | undefined;

function figures({ say }: Bench): Figures {
  if (measured) return measured;
  const folder = mkdtempSync(join(tmpdir(), 'herald-figures-'));
  try {
    const file = join(folder, 'figures.json');
    // the bars are judged here: the program itself only has to come to its end
    const env = { ...process.env, FIGURES: file, REQUESTS: `${REQUESTS}`, TOLERANCE: '1000' };
    const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM], { encoding: 'utf8', env });
    for (const line of stdout.split('\n').filter((text) => /median|NOT RUN|answered/.test(text))) say(line.trim());
    if (status !== 0) throw new Error(`${PROGRAM} ended with ${status}: ${`${stdout}${stderr}`.slice(-500)}`);
    measured = JSON.parse(readFileSync(file, 'utf8')) as Figures;
    return measured;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const present = <T>(what: T | undefined): T => {
  if (what === undefined) throw new Error('it could not be measured on this machine: see the lines above');
  return what;
};

export const l2AnswerKernel: Scenario = {
  name: 'l2.answer.kernel',
  unit: 'us',
  runs: REQUESTS,
  explanation: 'from an ARP request to the reply of the program in the kernel, between two namespaces',
  bar: { text: "median <= 1.5 times the kernel's own reply", holds: ({ ratio }) => ratio !== null && ratio <= 1.5 },
  run: async (bench) => {
    const of = figures(bench);
    const name = "the kernel's own ARP reply";
    const floor = { name, median: statisticsOf(present(of[name])).median };
    return { samples: present(of['l2.answer.kernel']), floor };
  },
};

export const l2AnswerPacket: Scenario = {
  name: 'l2.answer.packet',
  unit: 'us',
  runs: REQUESTS,
  explanation: 'from an ARP request to the reply through packet sockets, between two namespaces',
  bar: { text: "p99 <= 3 times a plain C responder's", holds: () => true },
  run: async (bench) => {
    const { 'l2.answer.packet': samples, 'a plain C responder': plain } = figures(bench);
    const floor = statisticsOf(present(plain));
    const isSound = statisticsOf(samples).p99 <= 3 * floor.p99;
    const name = `a plain C responder (p99 ${floor.p99.toFixed(0)})`;
    return { samples, floor: { name, median: floor.median }, isSound };
  },
};

export const l2Flood: Scenario = {
  name: 'l2.flood',
  unit: 'ns',
  runs: 1,
  explanation: 'time of the program in the kernel per packet while 20,000 ARP requests arrive each second',
  bar: { text: '<= 500 and every one answered', holds: ({ max }) => max <= 500 },
  run: async (bench) => {
    const { sent, answered, perPacket } = present(figures(bench)['l2.flood']);
    return { samples: [perPacket], floor: null, isSound: answered === sent };
  },
};

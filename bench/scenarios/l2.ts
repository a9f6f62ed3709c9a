/** How long an address is unserved when the node that answers for it is cut off, or its speaker is killed. */

import { type OwnedService, serviceOwnedByWorker } from '../../e2e/lib/faults.ts';
import { crashToStay, cut, heal } from '../../e2e/lib/lab.ts';
import { pause } from '../../e2e/lib/wait-for.ts';
import { familyOf, type World } from '../../e2e/lib/world.ts';
import type { ProbeReport } from '../../e2e/probe/probe.ts';
import { startProbe } from '../../e2e/probe/run.ts';
import { keepalivedFloor } from '../floors/keepalived.ts';
import type { Bench, Scenario } from './scenario.ts';

const BEFORE_MS = 3_000;
const AFTER_MS = 5_000;
/** What a run without an end of the outage counts as: all that was seen after the fault. */
const SETTLE_MS = 2_000;

const worstOf = ({ series }: ProbeReport): number => Math.max(...series.map(({ outageMs }) => outageMs));

/** Heals the node and waits until its own addresses are its own again, so that every run starts alike. */
async function restored(world: World, { addresses, owner }: OwnedService): Promise<void> {
  await heal(owner.name);
  for (const address of addresses) await world.fetchSoon(address, 30_000);
  for (let tries = 0; (await world.owner(addresses[0] ?? '', 30_000)).name !== owner.name; tries += 1) {
    if (tries > 30) throw new Error(`${owner.name} does not answer again after it was healed`);
    await pause(1_000);
  }
  await pause(SETTLE_MS);
}

async function cutRun({ world, detail }: Bench, service: OwnedService): Promise<number> {
  const { addresses, owner } = service;
  const { report } = await startProbe({ addresses, durationMs: BEFORE_MS + AFTER_MS, streams: 100 });
  await pause(BEFORE_MS);
  const moment = await cut(owner.name);
  const seen = await report;
  const after = await world.owner(addresses[0] ?? '');
  detail({ before: owner.name, after: after.name, moment, ...seen });
  await restored(world, service);
  return worstOf(seen);
}

export const l2Cut: Scenario = {
  name: 'l2.cut',
  unit: 'ms',
  runs: 20,
  explanation:
    "the owner's link is cut: from the last answer before to the first after, the worst of UDP and TCP in both families",
  bar: { text: 'median <= 290, max <= 600', holds: ({ median, max }) => median <= 290 && max <= 600 },
  async run(bench) {
    const service = await serviceOwnedByWorker(bench.world);
    const floor = await keepalivedFloor(bench);
    const samples: number[] = [];
    for (let run = 0; run < bench.runs; run += 1) {
      samples.push(await cutRun(bench, service));
      bench.say(`${samples.at(-1)?.toFixed(0)} ms`);
    }
    return { samples, floor };
  },
};

/** One family forgets who has the address before each probe, so that each asks anew; the other is a warm client. */
async function killRun(
  { world, detail }: Bench,
  service: OwnedService,
  run: number,
): Promise<{ cold: number; warmLost: number }> {
  const cold = service.addresses[run % 2] ?? '';
  const { report } = await startProbe({
    addresses: service.addresses,
    durationMs: BEFORE_MS + AFTER_MS,
    kinds: ['udp'],
    forget: cold,
  });
  await pause(BEFORE_MS);
  await crashToStay(service.owner.name, 'speaker');
  const seen = await report;
  const after = await world.owner(cold);
  detail({ before: service.owner.name, after: after.name, cold, ...seen });
  await restored(world, service);
  const warm = seen.series.filter(({ address }) => address !== cold);
  return {
    cold: worstOf({ ...seen, series: seen.series.filter(({ address }) => address === cold) }),
    warmLost: warm.reduce((sum, { lost }) => sum + lost, 0),
  };
}

export const l2Kill: Scenario = {
  name: 'l2.kill',
  unit: 'ms',
  runs: 20,
  explanation:
    'the speaker of the owner is killed, the node lives: how long ARP or NDP is unanswered for a client that asks each time',
  bar: { text: 'max <= 400, and a warm client loses nothing', holds: ({ max }) => max <= 400 },
  async run(bench) {
    const service = await serviceOwnedByWorker(bench.world);
    const samples: number[] = [];
    let warmLost = 0;
    for (let run = 0; run < bench.runs; run += 1) {
      const result = await killRun(bench, service, run);
      samples.push(result.cold);
      warmLost += result.warmLost;
      bench.say(
        `${familyOf(service.addresses[run % 2] ?? '')} unanswered for ${result.cold.toFixed(0)} ms; a warm client lost ${result.warmLost} probes`,
      );
    }
    return { samples, floor: null, isSound: warmLost === 0 };
  },
};

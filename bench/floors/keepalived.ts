/**
 * The floor of a takeover: keepalived (VRRP, an advert each 0.1 s) between two small hosts on the same segment, one of
 * which falls silent, measured by the same probe from the same client.
 *
 * Both hosts are network namespaces of the host `router`, on macvlan links of its own link, so that they are on the
 * segment of the nodes. Each holds the echo server; keepalived moves the address.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../../e2e/cluster/places.ts';
import { exec, put, startOn, tryExec } from '../../e2e/lib/lab.ts';
import { pause, waitFor } from '../../e2e/lib/wait-for.ts';
import { startProbe } from '../../e2e/probe/run.ts';
import { type Floor, statisticsOf } from '../report.ts';
import type { Bench } from '../scenarios/scenario.ts';

const HOSTS = ['floor-a', 'floor-b'] as const;
const PLACE = '/opt/herald-floor';
const RUNS = 5;
const BEFORE_MS = 1_000;
const AFTER_MS = 2_500;

/** keepalived's configuration (version 3 of VRRP: 2 counts in seconds); the first host has the higher priority and takes the address back when it returns. */
const configuration = (host: string, priority: number, address: string): string => `
global_defs {
  router_id ${host}
  vrrp_version 3
}
vrrp_instance floor {
  interface eth0
  state BACKUP
  virtual_router_id 77
  priority ${priority}
  advert_int 0.1
  virtual_ipaddress {
    ${address}/32 dev eth0
  }
}
`;

/** The median outage with keepalived, or a floor without a median that says why there is none. */
export async function keepalivedFloor({ world, say }: Bench): Promise<Floor> {
  const { code, stdout, stderr } = await tryExec('router', ['keepalived', '--version']);
  if (code !== 0) return { name: 'keepalived is not on the host router' };
  const version = /v(\d[\d.]*)/.exec(`${stdout}${stderr}`)?.[1] ?? 'of unknown version';
  // The end of the slice: Services take their addresses from its start.
  const [own = '', other = '', virtual = ''] = world.free.IPv4.addresses.slice(-3);
  const samples: number[] = [];
  try {
    await start([own, other], virtual);
    for (let run = 0; run < RUNS; run += 1) samples.push(await outage(virtual));
  } catch (error) {
    // A floor that was not reached is none: it would make every ratio look good.
    return { name: `keepalived ${version} could not be measured: ${error instanceof Error ? error.message : error}` };
  } finally {
    await stop();
  }
  const floor = {
    name: `keepalived ${version}, adverts each 0.1 s, ${RUNS} runs`,
    median: statisticsOf(samples).median,
  };
  say(`floor: ${floor.name}: median ${floor.median.toFixed(0)} ms`);
  return floor;
}

async function start(addresses: readonly string[], virtual: string): Promise<void> {
  await stop();
  await put('router', `${PLACE}/server.ts`, readFileSync(join(repository, 'e2e/probe/server.ts'), 'utf8'));
  for (const [at, host] of HOSTS.entries()) {
    await put('router', `${PLACE}/${host}.conf`, configuration(host, 200 - at * 50, virtual));
    const lines = [
      `ip netns add ${host}`,
      `ip link add link eth0 name ${host} type macvlan mode bridge`,
      `ip link set ${host} netns ${host}`,
      `ip -n ${host} link set ${host} name eth0`,
      `ip -n ${host} link set lo up`,
      `ip -n ${host} addr add ${addresses[at]}/16 dev eth0`,
      `ip -n ${host} link set eth0 up`,
    ];
    await exec('router', ['sh', '-ec', lines.join('\n')]);
    await startOn('router', ['ip', 'netns', 'exec', host, 'env', `NODE_NAME=${host}`, 'node', `${PLACE}/server.ts`]);
    const files = [`-p${PLACE}/${host}.pid`, `-r${PLACE}/${host}.vrrp.pid`, `-f${PLACE}/${host}.conf`];
    await startOn('router', [
      'ip',
      'netns',
      'exec',
      host,
      'keepalived',
      '--dont-fork',
      '--log-console',
      '--vrrp',
      ...files,
    ]);
  }
}

async function outage(address: string): Promise<number> {
  const [first] = HOSTS;
  await waitFor(
    `${first} holds ${address}`,
    { withinMs: 15_000 },
    () => tryExec('router', ['ip', '-n', first, 'addr', 'show', 'eth0']),
    ({ stdout }) => stdout.includes(`${address}/32`),
  );
  await pause(1_000);
  const { report } = await startProbe({ addresses: [address], durationMs: BEFORE_MS + AFTER_MS });
  await pause(BEFORE_MS);
  // Nothing gets out any more, not even a farewell.
  await exec('router', ['ip', '-n', first, 'link', 'set', 'eth0', 'down']);
  const { series } = await report;
  await exec('router', ['ip', '-n', first, 'link', 'set', 'eth0', 'up']);
  if (!series.every(({ isServedAtEnd, outages }) => isServedAtEnd && outages.length > 0))
    throw new Error(`keepalived did not take over within ${AFTER_MS} ms: no floor can be told`);
  return Math.max(...series.map(({ outageMs }) => outageMs));
}

async function stop(): Promise<void> {
  for (const host of HOSTS)
    await tryExec('router', [
      'sh',
      '-c',
      `for p in $(ip netns pids ${host} 2>/dev/null); do kill -KILL $p; done; ip netns del ${host} 2>/dev/null; true`,
    ]);
}

/** The part of the demo that runs where kubectl reaches the cluster: install, publish, look, cut, heal. */

import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { stringify } from 'yaml';
import { places } from '../cluster/places.ts';
import { documented, withDocumented } from '../lib/documented.ts';
import { type OwnedService, serviceOwnedByWorker, startApiServer } from '../lib/faults.ts';
import { install } from '../lib/herald.ts';
import { KubeApi } from '../lib/kube-api.ts';
import { cut, exec, heal, healAll, kubectl } from '../lib/lab.ts';
import { takeTurn } from '../lib/turn.ts';
import { pause } from '../lib/wait-for.ts';
import { askNeighbour, World } from '../lib/world.ts';
import { inWords, startProbe } from '../probe/run.ts';

const BEFORE_MS = 5_000;
const AFTER_MS = 10_000;
const TAKEOVER_MS = 1_000;

const say = (text: string): void => console.log(text);
const chapter = (text: string): void => say(`\n--- ${text}`);
const indented = (text: string): string => text.trimEnd().replace(/^/gm, '    ');

/** Shows a command of the client and what it printed. */
async function onClient(explanation: string, argv: readonly string[]): Promise<string> {
  const output = await exec('client', argv);
  say(`${explanation}\n  client$ ${argv.join(' ')}\n${indented(output)}`);
  return output;
}

async function installHerald(): Promise<void> {
  chapter('Install: kubectl apply -k cdk8s/dist/default');
  const api = new KubeApi(places.kubeconfig);
  await startApiServer(api);
  await healAll();
  await install(api, (line) => say(`  ${line}`));
  say('The operator decides which Service gets which address; a speaker on each node answers for addresses.');
  say(indented(await kubectl('-n', 'herald-system', 'get', 'pods', '-o', 'wide')));
}

async function publish(world: World): Promise<OwnedService> {
  chapter('Publish: a pool, an advertisement, and a Service of type LoadBalancer with both families');
  const service = await serviceOwnedByWorker(world);
  const { spec } = world.configObject('IPAddressPool', 'demo', {
    addresses: [world.free.IPv4.range, world.free.IPv6.range],
  });
  say(
    `The pool (spec of the IPAddressPool; these addresses are free on the nodes' network):\n${indented(stringify(spec))}`,
  );
  say(`The Service has its addresses:\n${indented(await kubectl('-n', world.namespace, 'get', 'svc'))}`);
  say(`Why, and since when, says its condition and its events; the pools and advertisements say how they are:`);
  say(indented(await kubectl('get', 'herald', '-A')));
  return service;
}

async function look(world: World, { addresses, owner }: OwnedService): Promise<void> {
  chapter('Look: from the host client, which is outside of the cluster on the same network');
  for (const address of addresses) {
    const isIpv6 = address.includes(':');
    await onClient(
      isIpv6
        ? 'Who has the IPv6 address? One node answers the neighbour solicitation:'
        : 'Who has the IPv4 address? One node answers ARP:',
      isIpv6 ? ['ndisc6', '-m', '-n', '-r', '1', address, 'eth0'] : askNeighbour(address, 3),
    );
    const macs = new Set(await world.answers(address));
    assert.equal([...macs], [owner.mac], `exactly ${owner.name} answers for ${address}`);
    const page = await onClient('The page:', [
      'curl',
      '-sS',
      '--fail',
      '--max-time',
      '3',
      `http://${isIpv6 ? `[${address}]` : address}/`,
    ]);
    assert.match(page, /served by/);
  }
  say(`Both addresses are answered by exactly one node: ${owner.name} (${owner.mac}).`);
}

async function lookAtDocumented(world: World): Promise<void> {
  chapter("Move over: MetalLB's documented manifests, unchanged");
  say(indented(readFileSync(documented.layer2.file, 'utf8')));
  await withDocumented(documented.layer2, async () => {
    await world.service({
      name: 'documented',
      families: ['IPv4'],
      annotations: { 'metallb.io/address-pool': 'first-pool' },
    });
    const [address = ''] = await world.addressesOf('documented');
    say(`A Service got ${address} of it, answered by ${(await world.owner(address)).name}. The client fetches it:`);
    say(indented(await world.fetchSoon(address)));
    await world.api.delete(world.servicePath('documented'));
  });
}

async function cutAndMeasure(world: World, { addresses, owner }: OwnedService): Promise<void> {
  chapter(`Cut: the link of ${owner.name}, which answers for the Service, falls silent`);
  say('From 5 s before to 10 s after, the client starts a new flow every 10 ms over UDP and TCP, to both addresses.');
  const { report } = await startProbe({ addresses, durationMs: BEFORE_MS + AFTER_MS, streams: 100 });
  await pause(BEFORE_MS);
  await cut(owner.name);
  say(`  lab cut ${owner.name}: no carrier is lost, no packet comes through, nobody is told`);
  const { series, streams } = await report;
  const after = await world.owner(addresses[0] ?? '');
  for (const one of series) say(`  ${inWords(one)}`);
  say(
    `  100 TCP connections held through it: ${streams.broken} of ${streams.held} broke (their connection was tracked on the lost node)`,
  );
  say(`Owner before: ${owner.name}. Owner after: ${after.name}.`);
  assert.is.not(after.name, owner.name, 'another node owns the address');
  for (const one of series) {
    assert.ok(one.isServedAtEnd && one.outages.length > 0, `${one.kind} to ${one.address} was cut and is served again`);
    assert.ok(one.outageMs < TAKEOVER_MS, `${inWords(one)}: it should be under ${TAKEOVER_MS} ms`);
  }
  const worst = Math.max(...series.map(({ outageMs }) => outageMs));
  say(`Served again after ${worst.toFixed(0)} ms at most, from the last answer before to the first answer after.`);
}

async function mend(world: World, { addresses, owner }: OwnedService): Promise<void> {
  chapter(`Heal: ${owner.name} comes back`);
  await heal(owner.name);
  for (const address of addresses)
    say(
      `  ${address} is answered by ${(await world.owner(address)).name} alone; ${await world.fetchSoon(address)}`.trimEnd(),
    );
}

await takeTurn('demo');
await installHerald();
const world = await World.open('demo', 'demo');
const service = await publish(world);
try {
  await look(world, service);
  await lookAtDocumented(world);
  await cutAndMeasure(world, service);
} finally {
  await mend(world, service);
}

/** The two hosts beside the cluster: `client`, which asks for addresses, and `router`, which learns routes to them. */
import { freeRange, hostAddress } from './addresses.ts';
import { type Engine, engineEnv } from './engine.ts';
import { NETWORK } from './places.ts';
import { run, tryRun } from './process.ts';

/** The hosts' names in lab commands, in the order of their addresses. */
export const HOSTS = ['client', 'router'] as const;
/** A host beside the cluster. */
export type HostName = (typeof HOSTS)[number];

const SUBNETS = { ipv4: '172.18.0.0/16', ipv6: 'fc00:f853:ccd:e793::/64' } as const;

// As process 1 a shell that waits reaps what is orphaned and ends at once on SIGTERM.
const IDLE = 'trap "exit 0" TERM; while :; do sleep 3600 & wait $!; done';

/** The name of a host's container. */
export function containerOf(host: HostName): string {
  return `herald-${host}`;
}

/**
 * Makes the docker network with subnets named outright: only such a network gives containers the addresses they ask
 * for, and kind, which would make one without, uses what it finds.
 */
export async function ensureNetwork(engine: Engine, log: string): Promise<void> {
  const options = { env: engineEnv(engine), log };
  if ((await tryRun(['docker', 'network', 'inspect', NETWORK], options)).code === 0) return;
  const subnets = ['--ipv6', '--subnet', SUBNETS.ipv4, '--subnet', SUBNETS.ipv6];
  const driver = [
    '--driver',
    'bridge',
    '--label',
    'herald.lab=network',
    '--opt',
    'com.docker.network.bridge.enable_ip_masquerade=true',
  ];
  await run(['docker', 'network', 'create', ...driver, ...subnets, NETWORK], options);
}

/** The docker network as the engine knows it: one subnet per family and the addresses in use. */
export interface NetworkView {
  readonly subnets: Readonly<Record<'ipv4' | 'ipv6', string>>;
  readonly taken: readonly string[];
}

/** Reads the network's subnets and who has which address in it. */
export async function readNetwork(engine: Engine): Promise<NetworkView> {
  const { stdout } = await run(['docker', 'network', 'inspect', NETWORK], { env: engineEnv(engine) });
  const [network] = JSON.parse(stdout) as readonly InspectedNetwork[];
  const subnets = (network?.IPAM.Config ?? []).map(({ Subnet }) => Subnet);
  const ipv4 = subnets.find((subnet) => subnet.includes('.'));
  const ipv6 = subnets.find((subnet) => subnet.includes(':'));
  if (!ipv4 || !ipv6) throw new Error(`the docker network ${NETWORK} lacks a family: ${subnets.join(', ')}`);
  const members = Object.values(network?.Containers ?? {});
  const taken = members
    .flatMap(({ IPv4Address, IPv6Address }) => [IPv4Address, IPv6Address])
    .filter((text) => text !== '');
  return { subnets: { ipv4, ipv6 }, taken: taken.map((text) => text.split('/')[0] ?? '') };
}

/** The ranges that pools may use. */
export async function freeRanges(engine: Engine): Promise<Readonly<Record<'ipv4' | 'ipv6', string>>> {
  const { subnets, taken } = await readNetwork(engine);
  const rangeOf = (subnet: string) => {
    const { first, last } = freeRange(subnet, taken);
    return `${first}-${last}`;
  };
  return { ipv4: rangeOf(subnets.ipv4), ipv6: rangeOf(subnets.ipv6) };
}

/** Starts both hosts unless they run the right image already. */
export async function startHosts(engine: Engine, image: string, log: string): Promise<void> {
  const { subnets } = await readNetwork(engine);
  await Promise.all(
    HOSTS.map((host, index) => startHost(engine, image, host, [subnets.ipv4, subnets.ipv6], index, log)),
  );
}

/** Tells whether both hosts run. */
export async function areHostsRunning(engine: Engine): Promise<boolean> {
  const argv = ['docker', 'inspect', '--format', '{{.State.Running}}', ...HOSTS.map(containerOf)];
  const { stdout } = await tryRun(argv, { env: engineEnv(engine) });
  return stdout.trim() === HOSTS.map(() => 'true').join('\n');
}

/** Removes both hosts. */
export async function removeHosts(engine: Engine): Promise<void> {
  await tryRun(['docker', 'rm', '-f', ...HOSTS.map(containerOf)], { env: engineEnv(engine) });
}

async function startHost(
  engine: Engine,
  image: string,
  host: HostName,
  [ipv4, ipv6]: readonly [string, string],
  index: number,
  log: string,
): Promise<void> {
  const options = { env: engineEnv(engine), log };
  const name = containerOf(host);
  await tryRun(['docker', 'rm', '-f', name], options);
  const addresses = ['--ip', hostAddress(ipv4, index), '--ip6', hostAddress(ipv6, index)];
  const identity = ['--name', name, '--hostname', host, '--label', 'herald.lab=host', '--restart', 'no'];
  // FRR wants more than NET_ADMIN, and probes open raw sockets: the whole set, as the nodes have.
  const command = ['--network', NETWORK, '--privileged', image, 'bash', '-c', IDLE];
  const fixed = await tryRun(['docker', 'run', '-d', ...identity, ...addresses, ...command], options);
  if (fixed.code === 0) return;
  // A network that kind made itself hands out addresses as it likes.
  await tryRun(['docker', 'rm', '-f', name], options);
  await run(['docker', 'run', '-d', ...identity, ...command], options);
}

interface InspectedNetwork {
  readonly IPAM: { readonly Config: readonly { readonly Subnet: string }[] };
  readonly Containers: Readonly<Record<string, { readonly IPv4Address: string; readonly IPv6Address: string }>>;
}

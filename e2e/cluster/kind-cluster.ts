/** The kind cluster itself: creates it from kind-config.yaml, lays the pods' network, makes all three nodes eligible. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type Engine, engineEnv, networkPrefix } from './engine.ts';
import { CLUSTER, NETWORK, places, repository } from './places.ts';
import { installScript, type NodeNetwork } from './pod-network.ts';
import { Problem } from './problem.ts';
import { type RunResult, run, tryRun } from './process.ts';

const CONFIG = join(repository, 'kind-config.yaml');
const EXCLUDE_LABEL = 'node.kubernetes.io/exclude-from-external-load-balancers';
const READY_TIMEOUT_SECONDS = 120;

/** What is remembered of a cluster we made; its container's id tells ours from another of the same name. */
export interface ClusterState {
  readonly phase: 'creating' | 'ready';
  /** The control plane's container; absent until the phase is `ready`. */
  readonly controlPlane?: string;
  readonly nodeImage: string;
  /** Each node's address in each family. */
  readonly addresses?: Readonly<Record<string, { readonly ipv4: string; readonly ipv6: string }>>;
}

/** The parts of kind-config.yaml that the lab reads itself. */
export interface KindConfig {
  readonly networking: { readonly podSubnet: string; readonly apiServerPort?: number };
  readonly nodes: readonly {
    readonly role: string;
    readonly extraPortMappings?: readonly { readonly hostPort?: number }[];
  }[];
}

/** Reads the parts of a kind configuration that the lab needs. */
export function parseKindConfig(text: string): KindConfig {
  const config = parse(text) as Partial<KindConfig>;
  if (!config.networking?.podSubnet || !Array.isArray(config.nodes)) {
    throw new Problem('BadKindConfig', 'kind-config.yaml needs networking.podSubnet and nodes.');
  }
  return config as KindConfig;
}

/** The ports of this machine that a configuration claims. */
export function claimedPorts(config: KindConfig): readonly number[] {
  const mapped = config.nodes.flatMap((node) => node.extraPortMappings ?? []).map((mapping) => mapping.hostPort ?? 0);
  return [config.networking.apiServerPort ?? 0, ...mapped].filter((port) => port > 0);
}

/** One cluster on one engine. */
export class KindCluster {
  readonly #engine: Engine;
  readonly #kind: string;
  readonly #log: string;

  constructor(engine: Engine, kind: string, log: string) {
    this.#engine = engine;
    this.#kind = kind;
    this.#log = log;
  }

  /**
   * Tells what there is: nothing, a whole cluster of ours, or a half-made one of ours.
   * @throws Problem when a cluster of that name is not ours
   */
  async state(): Promise<'absent' | 'whole' | 'broken'> {
    const controlPlane = await this.#controlPlaneId();
    if (controlPlane === undefined) return 'absent';
    const state = readClusterState();
    if (state?.phase === 'creating') return 'broken';
    if (state?.controlPlane !== controlPlane) {
      throw new Problem(
        'NotOurs',
        `A kind cluster named ${CLUSTER} is there that was not made by this make target, so it stays untouched: rename it, or remove it by \`kind delete cluster --name ${CLUSTER}\`.`,
      );
    }
    return (await this.#isAnswering()) ? 'whole' : 'broken';
  }

  /** Removes the cluster, which must be ours. */
  async remove(): Promise<void> {
    await this.#runKind('delete', 'cluster', '--name', CLUSTER);
    if (this.#engine.kind === 'private') await tryRun(['docker', 'network', 'rm', NETWORK], this.#options);
    rmSync(places.clusterState, { force: true });
  }

  /** Creates the cluster and waits until three nodes are Ready and eligible. */
  async create(nodeImage: string): Promise<void> {
    const config = parseKindConfig(readFileSync(CONFIG, 'utf8'));
    if (this.#engine.kind === 'system') for (const port of claimedPorts(config)) await assertFree(port);
    writeFileSync(places.clusterState, JSON.stringify({ phase: 'creating', nodeImage } satisfies ClusterState));
    await this.#runKind(
      'create',
      'cluster',
      '--name',
      CLUSTER,
      '--config',
      CONFIG,
      '--image',
      nodeImage,
      '--retain',
      '-v',
      '3',
    );
    const nodes = await this.#layPodNetwork(config);
    await this.#makeEligible(config.nodes.length);
    const controlPlane = (await this.#controlPlaneId()) ?? '';
    writeFileSync(
      places.clusterState,
      JSON.stringify({ phase: 'ready', controlPlane, nodeImage, addresses: addressesOf(nodes) } satisfies ClusterState),
    );
  }

  /** Puts kubectl and kind where `lab exec host` has them on PATH. */
  async provideTools(hyperkube: string | undefined): Promise<void> {
    const directory = join(places.run, 'bin');
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true });
    const link = (target: string, name: string) => run(['ln', '-s', target, join(directory, name)]);
    await link(this.#kind, 'kind');
    if (hyperkube) await link(hyperkube, 'kubectl');
    else
      await run(
        ['docker', 'cp', `${CLUSTER}-control-plane:/usr/bin/kubectl`, join(directory, 'kubectl')],
        this.#options,
      );
  }

  async #layPodNetwork(config: KindConfig): Promise<readonly NodeNetwork[]> {
    const { items } = JSON.parse((await this.#kubectl('get', 'nodes', '-o', 'json')).stdout) as {
      items: readonly NodeObject[];
    };
    const nodes: readonly NodeNetwork[] = items.map((node) => ({
      name: node.metadata.name,
      podCidrs: node.spec.podCIDRs,
      addresses: node.status.addresses.filter(({ type }) => type === 'InternalIP').map(({ address }) => address),
    }));
    const podSubnets = config.networking.podSubnet.split(',');
    await Promise.all(
      nodes.map((node) =>
        run(['docker', 'exec', '-i', node.name, 'sh', '-s'], {
          ...this.#options,
          input: installScript(node, nodes, podSubnets),
        }),
      ),
    );
    return nodes;
  }

  /** kubeadm excludes the control plane of a cluster with workers from load balancers; the lab wants three candidates. */
  async #makeEligible(count: number): Promise<void> {
    await this.#kubectl('label', 'node', '--all', `${EXCLUDE_LABEL}-`);
    await this.#kubectl('wait', '--for=condition=Ready', 'node', '--all', `--timeout=${READY_TIMEOUT_SECONDS}s`);
    const eligible = await this.#kubectl('get', 'nodes', '-l', `!${EXCLUDE_LABEL}`, '-o', 'name');
    const found = eligible.stdout.trim().split('\n').length;
    if (found !== count) throw new Error(`${found} of ${count} nodes are Ready and eligible to announce addresses`);
    await this.#kubectl('-n', 'kube-system', 'rollout', 'status', 'daemonset/kube-proxy', '--timeout=60s');
    await this.#kubectl('wait', '--for=create', 'serviceaccount/default', '--timeout=30s');
  }

  async #controlPlaneId(): Promise<string | undefined> {
    const filters = [
      '--filter',
      `label=io.x-k8s.kind.cluster=${CLUSTER}`,
      '--filter',
      'label=io.x-k8s.kind.role=control-plane',
    ];
    const { stdout } = await run(['docker', 'ps', '-a', '--no-trunc', '-q', ...filters], {
      env: engineEnv(this.#engine),
    });
    return stdout.trim().split('\n')[0] || undefined;
  }

  async #isAnswering(): Promise<boolean> {
    if (!existsSync(places.kubeconfig)) return false;
    const argv = [...this.#kubectlPrefix(), 'get', '--raw', '/readyz'];
    return (await tryRun(argv, { timeoutMs: 10_000 })).code === 0;
  }

  #kubectlPrefix(): readonly string[] {
    return [...networkPrefix(this.#engine), join(places.run, 'bin', 'kubectl'), '--kubeconfig', places.kubeconfig];
  }

  #kubectl(...args: readonly string[]): Promise<RunResult> {
    return run([...this.#kubectlPrefix(), ...args]);
  }

  async #runKind(...args: readonly string[]): Promise<void> {
    await run([...networkPrefix(this.#engine), this.#kind, ...args, '--kubeconfig', places.kubeconfig], this.#options);
  }

  get #options(): { env: Readonly<Record<string, string>>; log: string } {
    return { env: engineEnv(this.#engine), log: this.#log };
  }
}

/** What is remembered of the cluster. */
export function readClusterState(): ClusterState | undefined {
  return existsSync(places.clusterState)
    ? (JSON.parse(readFileSync(places.clusterState, 'utf8')) as ClusterState)
    : undefined;
}

function addressesOf(nodes: readonly NodeNetwork[]): NonNullable<ClusterState['addresses']> {
  const pick = (node: NodeNetwork, separator: string) => node.addresses.find((text) => text.includes(separator)) ?? '';
  return Object.fromEntries(nodes.map((node) => [node.name, { ipv4: pick(node, '.'), ipv6: pick(node, ':') }]));
}

interface NodeObject {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly podCIDRs: readonly string[] };
  readonly status: { readonly addresses: readonly { readonly type: string; readonly address: string }[] };
}

/** @throws Problem when something listens on the port */
export async function assertFree(port: number): Promise<void> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => resolve());
    });
  } catch {
    throw new Problem(
      'PortTaken',
      `Port ${port}, which kind-config.yaml claims on this machine, is taken: stop what listens on it or choose another there.`,
    );
  } finally {
    server.close();
  }
}

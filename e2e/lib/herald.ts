/** Installs the built product into the lab's cluster, once per image and set of manifests, and finds its processes. */

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../cluster/places.ts';
import { collection, type KubeApi, type KubeObject } from './kube-api.ts';
import * as lab from './lab.ts';
import { waitFor } from './wait-for.ts';

export const NAMESPACE = 'herald-system';
const IMAGE_ARCHIVE = join(repository, 'build/herald-image.tar');
const MANIFESTS = join(repository, 'cdk8s/dist/default');
/** Remembers in the cluster what is installed there. */
const MARK = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'herald-e2e-installed', namespace: 'default' } };
const MARK_PATH = `${collection('v1', 'ConfigMap', 'default')}/${MARK.metadata.name}`;

const OPERATOR = `${collection('apps/v1', 'Deployment', NAMESPACE)}/herald-operator`;
const SPEAKER = `${collection('apps/v1', 'DaemonSet', NAMESPACE)}/herald-speaker`;
export const LEASE = `${collection('coordination.k8s.io/v1', 'Lease', NAMESPACE)}/herald-operator`;

/** Brings the cluster to the built image and the committed manifests; does nothing where both are there already. */
export async function install(api: KubeApi, say: (line: string) => void = () => undefined): Promise<void> {
  if (!existsSync(IMAGE_ARCHIVE)) throw new Error(`${IMAGE_ARCHIVE} is missing: run \`make image\` first`);
  const digests = { image: digestOf([IMAGE_ARCHIVE]), manifests: digestOf(filesUnder(join(MANIFESTS, '..'))) };
  const installed = (await api.find(MARK_PATH))?.['data'] as typeof digests | undefined;
  if (installed?.image !== digests.image) {
    say(`loading the image into every node (${(statSync(IMAGE_ARCHIVE).size / 2 ** 20).toFixed(0)} MiB)`);
    await lab.load(IMAGE_ARCHIVE);
  }
  if (JSON.stringify(installed) !== JSON.stringify(digests) || !(await api.find(OPERATOR))) {
    say('applying cdk8s/dist/default');
    await applyManifests();
    // The tag stays the same from build to build: pods of an earlier build must go.
    if (installed !== undefined)
      await lab.kubectl(
        '-n',
        NAMESPACE,
        'rollout',
        'restart',
        'deployment/herald-operator',
        'daemonset/herald-speaker',
      );
    // kubectl remembers for hours which kinds there are, and knows no category `herald` until it looks again.
    await lab.kubectl('api-resources', '--api-group=metallb.io');
    await api.apply({ ...MARK, data: digests });
  }
  say('waiting for 2 operators and a speaker on every node');
  await ready(api);
}

/** As `make install` does: the definitions first, the rest once they are served. */
export async function applyManifests(): Promise<void> {
  const crds = join(MANIFESTS, '../crds');
  const apply = ['apply', '--server-side', '--force-conflicts', '-k'];
  await lab.kubectl(...apply, crds);
  await lab.kubectl('wait', '--for=condition=Established', '--timeout=60s', '-f', join(crds, 'crds.yaml'));
  await lab.kubectl(...apply, MANIFESTS);
}

/** Removes Herald whole, with its definitions and every object of them. */
export async function removeHerald(): Promise<void> {
  await lab.kubectl('delete', '--ignore-not-found', '--timeout=60s', '-k', MANIFESTS);
}

/** Removes what runs, and leaves definitions and objects, as a person does who goes back to MetalLB. */
export async function removeHeraldsPrograms(): Promise<void> {
  const files = ['operator.yaml', 'speaker.yaml', 'rbac.yaml'].flatMap((file) => ['-f', join(MANIFESTS, file)]);
  await lab.kubectl('delete', '--ignore-not-found', '--timeout=60s', ...files);
}

/** Resolves when both operators and all speakers are ready and of the newest revision. */
export async function ready(api: KubeApi, withinMs = 120_000): Promise<void> {
  await waitFor(
    'Herald is ready',
    { withinMs, everyMs: 250 },
    async () => {
      const [operator, speaker] = await Promise.all([api.get(OPERATOR), api.get(SPEAKER)]);
      return {
        operator: operatorIsReady(operator),
        speaker: speakerIsReady(speaker),
        of: [operator['status'], speaker['status']],
      };
    },
    ({ operator, speaker }) => operator && speaker,
  );
}

const operatorIsReady = ({ spec, status, metadata }: KubeObject): boolean =>
  status.observedGeneration === metadata.generation &&
  status.updatedReplicas === spec.replicas &&
  status.readyReplicas === spec.replicas &&
  status.replicas === spec.replicas;

const speakerIsReady = ({ status, metadata }: KubeObject): boolean =>
  status.observedGeneration === metadata.generation &&
  status.desiredNumberScheduled > 0 &&
  status.updatedNumberScheduled === status.desiredNumberScheduled &&
  status.numberReady === status.desiredNumberScheduled;

function filesUnder(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile())
    .toSorted();
}

function digestOf(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest('hex');
}

/** Sets the number of operators; 0 returns when the last is gone. */
export async function scaleOperators(api: KubeApi, replicas: 0 | 2): Promise<void> {
  await api.patch(OPERATOR, { spec: { replicas } });
  if (replicas > 0) return;
  const left = async (): Promise<number> =>
    (await api.list(collection('v1', 'Pod', NAMESPACE))).filter(({ metadata }) =>
      metadata.name.startsWith('herald-operator-'),
    ).length;
  await waitFor('no operator runs', { withinMs: 60_000, everyMs: 250 }, left, (count) => count === 0);
}

/** The pods of a workload of Herald that are not on their way out. */
export async function pods(api: KubeApi, workload: 'herald-operator' | 'herald-speaker'): Promise<KubeObject[]> {
  const all = await api.list(collection('v1', 'Pod', NAMESPACE));
  return all.filter(({ metadata }) => metadata.name.startsWith(`${workload}-`) && !metadata.deletionTimestamp);
}

/** The operator pod that holds the Lease; waits for one. */
export async function leader(api: KubeApi, withinMs = 10_000): Promise<KubeObject> {
  let found: KubeObject | undefined;
  await waitFor('an operator pod holds the Lease', { withinMs }, async () => {
    const holder = (await api.find(LEASE))?.['spec'].holderIdentity as string | undefined;
    const candidates = await pods(api, 'herald-operator');
    // An identity may carry more than the pod's name.
    found = candidates.find(({ metadata }) => holder?.startsWith(metadata.name));
    return found ? true : (false as const);
  });
  if (!found) throw new Error('no leader');
  return found;
}

/** A process of Herald, as its node numbers it. */
export interface HeraldProcess {
  readonly node: string;
  readonly pid: string;
}

/** The one process of a pod's container: by the pod's uid in its control group, the sandbox's own process aside. */
export async function processOf(pod: KubeObject): Promise<HeraldProcess> {
  const node = pod['spec'].nodeName as string;
  const uid = (pod.metadata.uid ?? '').replaceAll('-', '[-_]');
  const script = `for d in /proc/[0-9]*; do grep -qs '${uid}' $d/cgroup && echo "\${d#/proc/} $(tr '\\0' ' ' < $d/cmdline)"; done; true`;
  const lines = (await lab.exec(node, ['sh', '-c', script])).split('\n').filter((line) => /\bnode\b|herald/.test(line));
  const pid = lines[0]?.split(' ')[0];
  if (pid === undefined || lines.length !== 1)
    throw new Error(`pod ${pod.metadata.name} on ${node} has not one process but ${JSON.stringify(lines)}`);
  return { node, pid };
}

export async function signal({ node, pid }: HeraldProcess, name: 'KILL' | 'TERM' | 'STOP' | 'CONT'): Promise<void> {
  await lab.exec(node, ['kill', `-${name}`, pid]);
}

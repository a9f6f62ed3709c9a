/** Flux as scenarios use it: its definitions, its own kustomize-controller as a process, and what Kustomizations say. */

import { join } from 'node:path';
import { goModule, goTool } from '../cluster/go-tool.ts';
import type { KubeApi, KubeObject } from './kube-api.ts';
import * as lab from './lab.ts';
import { waitFor } from './wait-for.ts';
import { conditionOf } from './world.ts';

const CONTROLLER = { name: 'kustomize-controller', package: 'github.com/fluxcd/kustomize-controller' } as const;
/** The kinds that the controller watches; its own release names this version of source-controller's. */
const SOURCES = 'github.com/fluxcd/source-controller@v1.7.2';
export const FLUX_NAMESPACE = 'flux-system';
const KUSTOMIZATIONS = `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${FLUX_NAMESPACE}/kustomizations`;
/** What the controller marks everything with that it applies. */
const OWNER_LABELS = ['name', 'namespace'].map((word) => `kustomize.toolkit.fluxcd.io/${word}`);

export const kustomizationPath = (name: string): string => `${KUSTOMIZATIONS}/${name}`;
export const gitRepositoryPath = (name: string): string =>
  `/apis/source.toolkit.fluxcd.io/v1/namespaces/${FLUX_NAMESPACE}/gitrepositories/${name}`;

export class Flux {
  readonly #api: KubeApi;
  readonly #controller: Awaited<ReturnType<typeof lab.startOn>>;
  /** What the controller logged, one JSON object a line. */
  readonly log: string[] = [];

  private constructor(api: KubeApi, controller: Awaited<ReturnType<typeof lab.startOn>>) {
    this.#api = api;
    this.#controller = controller;
    for (const stream of [controller.child.stdout, controller.child.stderr])
      stream?.on('data', (chunk: Buffer) => this.log.push(...String(chunk).split('\n').filter(Boolean)));
  }

  /** Installs the definitions and starts the controller; what an earlier run left behind is removed first. */
  static async start(api: KubeApi): Promise<Flux> {
    const program = await goTool(CONTROLLER, (line) => console.log(line));
    await remove(api);
    await lab.kubectl('apply', '--server-side', ...(await definitions()).flatMap((path) => ['-f', path]));
    await lab.kubectl(
      'wait',
      '--for=condition=Established',
      '--timeout=60s',
      ...(await definitions()).flatMap((path) => ['-f', path]),
    );
    await lab.kubectl('create', 'namespace', FLUX_NAMESPACE);
    // It ends with this process, however that ends: it would go on writing to the cluster.
    const argv = ['setpriv', '--pdeathsig', 'KILL', 'env', `RUNTIME_NAMESPACE=${FLUX_NAMESPACE}`, program];
    const noPorts = ['--metrics-addr=127.0.0.1:0', '--health-addr=127.0.0.1:0'];
    return new Flux(api, await lab.startOn('host', [...argv, ...noPorts, '--requeue-dependency=1s']));
  }

  /** Ends the controller and removes all of Flux; what it applied stays, without its marks. */
  async stop(): Promise<void> {
    await this.#controller.stop();
    await remove(this.#api);
  }

  /** The Kustomization once its Ready condition is as wanted, for this revision. */
  ready(name: string, revision: string, status: 'True' | 'False', withinMs = 120_000): Promise<KubeObject> {
    return waitFor(
      `Kustomization ${name} is Ready=${status} for ${revision}`,
      { withinMs, everyMs: 250 },
      () => this.#api.get(kustomizationPath(name)),
      (seen) => conditionOf(seen, 'Ready')?.status === status && seen['status'].lastAttemptedRevision === revision,
    );
  }

  /** Makes the controller reconcile now, as `flux reconcile kustomization` does, and waits until it has. */
  async reconcile(name: string): Promise<void> {
    const requestedAt = new Date().toISOString();
    const annotations = { 'reconcile.fluxcd.io/requestedAt': requestedAt };
    await this.#api.patch(kustomizationPath(name), { metadata: { annotations } });
    await waitFor(
      `Kustomization ${name} is reconciled`,
      { withinMs: 60_000, everyMs: 250 },
      async () => (await this.#api.get(kustomizationPath(name)))['status'],
      (status) =>
        status.lastHandledReconcileAt === requestedAt &&
        status.conditions.some(
          (one: { type: string; status: string }) => one.type === 'Ready' && one.status === 'True',
        ),
    );
  }
}

async function definitions(): Promise<string[]> {
  const bases = 'config/crd/bases';
  const sources = join(await goModule(CONTROLLER, SOURCES), bases);
  const kinds = ['gitrepositories', 'ocirepositories', 'buckets', 'externalartifacts'];
  return [
    join(await goModule(CONTROLLER, CONTROLLER.package), bases, 'kustomize.toolkit.fluxcd.io_kustomizations.yaml'),
    ...kinds.map((plural) => join(sources, `source.toolkit.fluxcd.io_${plural}.yaml`)),
  ];
}

/** Without a controller nobody answers to finalizers: they go first. */
async function remove(api: KubeApi): Promise<void> {
  const left = ((await api.find(KUSTOMIZATIONS)) as { items?: KubeObject[] } | undefined)?.items ?? [];
  for (const { metadata } of left)
    await api.patch(kustomizationPath(metadata.name), { metadata: { finalizers: null } });
  const unmark = OWNER_LABELS.map((label) => `${label}-`);
  const herald = ['crd', 'clusterrole', 'clusterrolebinding', 'namespace'];
  const inNamespace = ['serviceaccount', 'role', 'rolebinding', 'deployment', 'daemonset', 'poddisruptionbudget'];
  const ours = ['-l', `${OWNER_LABELS[0]}=herald`];
  await lab.kubectl('label', herald.join(','), ...ours, ...unmark);
  await lab.kubectl('label', '-n', 'herald-system', inNamespace.join(','), ...ours, ...unmark);
  await lab.kubectl('delete', 'namespace', FLUX_NAMESPACE, '--ignore-not-found', '--timeout=60s');
  const crds = (await definitions()).flatMap((path) => ['-f', path]);
  await lab.kubectl('delete', '--ignore-not-found', '--timeout=60s', ...crds);
}

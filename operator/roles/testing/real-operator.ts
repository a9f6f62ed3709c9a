/** The operator as a process of its own, and as many as a story wants, beside a real API server. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { ApiConnection } from '../../cluster/api-connection.ts';
import type { KubernetesObject } from '../../cluster/objects.ts';
import { applyRequest, getObject } from '../../cluster/requests.ts';
import { collectionPath, type Resource, type ResourceAddress, resources } from '../../cluster/resource.ts';
import { KubeApiServer } from '../../cluster/testing/kube-api-server.ts';
import { eventually } from '../../cluster/testing/waiting.ts';

const ROOT = join(import.meta.dirname, '../../..');
export const OWN_NAMESPACE = 'herald-system';
const SERVED_WITHIN_MS = 20_000;
const READY_WITHIN_MS = 20_000;

export class RealCluster {
  readonly connection: ApiConnection;
  readonly #folder = mkdtempSync(join(tmpdir(), 'herald-operator-'));
  readonly #children = new Set<ChildProcess>();

  private constructor(server: KubeApiServer) {
    this.connection = server.connect();
    const { url, token } = JSON.parse(server.address) as { url: string; token: string };
    const [name, current] = ['test', 'test'];
    const config = {
      clusters: [{ name, cluster: { server: url, 'insecure-skip-tls-verify': true } }],
      users: [{ name, user: { token } }],
      contexts: [{ name, context: { cluster: name, user: name } }],
      'current-context': current,
    };
    writeFileSync(join(this.#folder, 'kubeconfig'), JSON.stringify(config));
    process.once('exit', () => {
      for (const child of this.#children) child.kill('SIGKILL');
      rmSync(this.#folder, { recursive: true, force: true });
    });
  }

  /** A cluster with our definitions and two namespaces: ours, and `shop`. */
  static async start(): Promise<RealCluster> {
    const cluster = new RealCluster(await KubeApiServer.start());
    await cluster.applyDefinitions();
    for (const name of [OWN_NAMESPACE, 'shop']) await cluster.apply(resources.namespaces, { metadata: { name } });
    await eventually('the definitions are served', () => cluster.#isServed(resources.ipAddressPools), SERVED_WITHIN_MS);
    await eventually('the last of them too', () => cluster.#isServed(resources.poolSets), SERVED_WITHIN_MS);
    return cluster;
  }

  async applyDefinitions(): Promise<void> {
    const text = readFileSync(join(ROOT, 'cdk8s/dist/crds/crds.yaml'), 'utf8');
    for (const document of parseAllDocuments(text))
      await this.apply(resources.customResourceDefinitions, document.toJS() as KubernetesObject);
  }

  apply(resource: ResourceAddress, object: KubernetesObject, part?: 'status'): Promise<unknown> {
    const query = { fieldManager: 'test', force: 'true' };
    return this.connection.request({ ...applyRequest(resource, object, 'herald-operator', part), query });
  }

  get<T extends KubernetesObject>(resource: Resource<T>, key: string): Promise<T | undefined> {
    const [namespace = '', name = ''] = key.split('/');
    return getObject(this.connection, resource, { namespace, name });
  }

  /** Resolves when the operator leads or stands by with complete stores. */
  async startOperator(port: number, ...flags: readonly string[]): Promise<ChildProcess> {
    const common = [`--kubeconfig=${join(this.#folder, 'kubeconfig')}`, `--namespace=${OWN_NAMESPACE}`, '--port=0'];
    const names = [`--pod-name=op-${port}`, `--health-probe-port=${port}`];
    const argv = ['operator/main.ts', 'operator', ...common, ...names, ...flags];
    const child = spawn(process.execPath, argv, { stdio: ['ignore', 'ignore', 'inherit'], cwd: ROOT });
    child.unref();
    this.#children.add(child);
    await eventually('the operator is ready', async () => (await readinessAt(port)) !== '', READY_WITHIN_MS);
    return child;
  }

  /** Ends every operator and every request. */
  end(): void {
    for (const child of this.#children) child.kill('SIGKILL');
    this.connection.close();
  }

  #isServed(resource: ResourceAddress): Promise<boolean> {
    return this.connection.request({ method: 'GET', path: collectionPath(resource) }).then(
      () => true,
      () => false,
    );
  }
}

/** The body of /readyz where it is ready, else empty. */
export const readinessAt = (port: number): Promise<string> =>
  fetch(`http://127.0.0.1:${port}/readyz`).then(
    (answer) => (answer.ok ? answer.text() : ''),
    () => '',
  );

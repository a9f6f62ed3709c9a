/** A real kube-apiserver with its etcd on the loopback address, for the tests that only the real one can judge. */

import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ApiConnection, HttpConnection } from '../api-connection.ts';
import { ApiError } from '../api-error.ts';

const START_MS = 90_000;
const TERMINATION_GRACE_MS = 2_000;

/** Ends with the process that started it; `HYPERKUBE` names the binary that holds kube-apiserver and etcd. */
export class KubeApiServer {
  readonly #folder = mkdtempSync(join(tmpdir(), 'herald-apiserver-'));
  readonly #token = randomUUID();
  readonly #hyperkube: string;
  readonly #ports: { readonly etcd: number; readonly peer: number; readonly api: number };
  #etcd: ChildProcess | undefined;
  #api: ChildProcess | undefined;

  private constructor(hyperkube: string, [etcd, peer, api]: readonly number[]) {
    this.#hyperkube = hyperkube;
    this.#ports = { etcd: etcd ?? 0, peer: peer ?? 0, api: api ?? 0 };
  }

  static async start(): Promise<KubeApiServer> {
    const hyperkube = process.env['HYPERKUBE'];
    if (!hyperkube) throw new Error('HYPERKUBE is not set: the path of a binary with kube-apiserver and etcd');
    const server = new KubeApiServer(hyperkube, await Promise.all([freePort(), freePort(), freePort()]));
    process.once('exit', () => server.#kill());
    server.#prepare();
    server.#startEtcd();
    await server.startApi();
    return server;
  }

  /** What a child process needs to connect: see `connectTo`. */
  get address(): string {
    return JSON.stringify({ url: `https://127.0.0.1:${this.#ports.api}`, token: this.#token });
  }

  connect(): ApiConnection {
    return connectTo(this.address);
  }

  async startApi(): Promise<void> {
    const { etcd, api } = this.#ports;
    const key = join(this.#folder, 'service-account.key');
    this.#api = this.#spawn('kube-apiserver', [
      `--etcd-servers=http://127.0.0.1:${etcd}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${api}`,
      `--cert-dir=${this.#folder}`,
      '--service-cluster-ip-range=10.96.0.0/16,fd00:10:96::/112',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${key}`,
      `--service-account-signing-key-file=${key}`,
      `--token-auth-file=${join(this.#folder, 'tokens.csv')}`,
      '--disable-admission-plugins=ServiceAccount',
      '--endpoint-reconciler-type=none',
      '--watch-cache=true',
    ]);
    await this.#ready();
  }

  /**
   * Stops the API server; etcd keeps everything. By SIGTERM it stops listening and waits up to a minute for watches to
   * end, ours as anybody's: the kubelet kills it before that, and so does this, after two seconds.
   */
  async stopApi(signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): Promise<void> {
    await ended(this.#api, signal);
    this.#api = undefined;
  }

  /** Makes etcd forget old revisions: who watches from one of them gets 410. */
  async compact(): Promise<void> {
    const post = async (path: string, body: object) => {
      const url = `http://127.0.0.1:${this.#ports.etcd}/v3/kv/${path}`;
      const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
      return (await answer.json()) as { header: { revision: string } };
    };
    const { header } = await post('range', { key: Buffer.from('/').toString('base64') });
    await post('compaction', { revision: header.revision, physical: true });
  }

  /** The end of the API server's log, for a test that failed. */
  log(): string {
    return readFileSync(join(this.#folder, 'kube-apiserver.log'), 'utf8').slice(-4000);
  }

  #prepare(): void {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = privateKey.export({ type: 'pkcs1', format: 'pem' });
    writeFileSync(join(this.#folder, 'service-account.key'), pem);
    writeFileSync(join(this.#folder, 'tokens.csv'), `${this.#token},admin,admin,system:masters\n`);
  }

  #startEtcd(): void {
    const { etcd, peer } = this.#ports;
    this.#etcd = this.#spawn('etcd', [
      `--data-dir=${join(this.#folder, 'etcd')}`,
      `--listen-client-urls=http://127.0.0.1:${etcd}`,
      `--advertise-client-urls=http://127.0.0.1:${etcd}`,
      `--listen-peer-urls=http://127.0.0.1:${peer}`,
      `--initial-advertise-peer-urls=http://127.0.0.1:${peer}`,
      `--initial-cluster=default=http://127.0.0.1:${peer}`,
      '--unsafe-no-fsync',
    ]);
  }

  #spawn(component: string, flags: readonly string[]): ChildProcess {
    const log = openSync(join(this.#folder, `${component}.log`), 'a');
    const child = spawn(this.#hyperkube, [component, ...flags], { stdio: ['ignore', log, log] });
    child.unref();
    return child;
  }

  async #ready(): Promise<void> {
    const connection = this.connect();
    const deadline = performance.now() + START_MS;
    for (;;) {
      try {
        await connection.request({ method: 'GET', path: '/readyz', timeoutMs: 1_000 });
        return;
      } catch (error) {
        if (error instanceof ApiError && error.status === 200) return;
        if (performance.now() > deadline || this.#api?.exitCode != null) throw new Error(this.log(), { cause: error });
        await sleep(100);
      }
    }
  }

  #kill(): void {
    for (const child of [this.#api, this.#etcd]) child?.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Connects to the server whose `address` this is. */
export function connectTo(address: string): ApiConnection {
  const { url, token } = JSON.parse(address) as { url: string; token: string };
  return new HttpConnection({
    server: new URL(url),
    tls: { rejectUnauthorized: false },
    authorization: () => `Bearer ${token}`,
    refused: () => undefined,
  });
}

async function ended(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.ref();
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), TERMINATION_GRACE_MS);
  await exit;
  clearTimeout(timer);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

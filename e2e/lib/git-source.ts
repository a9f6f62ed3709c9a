/**
 * The test's own source-controller: a local Git repository whose commits are served over HTTP as artifacts, and told to
 * Flux in the status of a GitRepository, as Flux's own controller does (source.toolkit.fluxcd.io/v1, Artifact).
 */

import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run } from '../cluster/process.ts';
import type { KubeApi } from './kube-api.ts';

const AUTHOR = ['-c', 'user.name=fleet', '-c', 'user.email=fleet@example.org', '-c', 'commit.gpgsign=false'];
/** Nothing of this machine's own settings. */
const ENV = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' };

export class GitSource {
  readonly #root = mkdtempSync(join(tmpdir(), 'herald-fleet-'));
  readonly #server: Server;
  readonly #api: KubeApi;
  readonly #repositoryPath: string;

  private constructor(api: KubeApi, repositoryPath: string) {
    this.#api = api;
    this.#repositoryPath = repositoryPath;
    this.#server = createServer((request, response) => {
      const name = /^\/([0-9a-f]{40}\.tar\.gz)$/.exec(request.url ?? '')?.[1];
      if (name === undefined) response.writeHead(404).end();
      else response.end(readFileSync(join(this.#root, name)));
    });
  }

  /** @param repositoryPath the path of the GitRepository at the API server */
  static async open(api: KubeApi, repositoryPath: string): Promise<GitSource> {
    const source = new GitSource(api, repositoryPath);
    mkdirSync(source.folder);
    await source.#git('init', '--quiet', '--initial-branch=main');
    await new Promise<void>((resolve) => source.#server.listen(0, '127.0.0.1', resolve));
    return source;
  }

  /** Where the work tree is. */
  get folder(): string {
    return join(this.#root, 'fleet');
  }

  /** Copies a file or folder of the checkout into the work tree. */
  copy(from: string, to: string): void {
    cpSync(from, join(this.folder, to), { recursive: true });
  }

  read(path: string): string {
    return readFileSync(join(this.folder, path), 'utf8');
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    writeFileSync(join(this.folder, path), text);
  }

  remove(path: string): void {
    rmSync(join(this.folder, path), { recursive: true });
  }

  /** Replaces a text in a file; the text must be there. */
  edit(path: string, from: string | RegExp, to: string): void {
    const before = this.read(path);
    const after = before.replace(from, to);
    if (after === before) throw new Error(`${path} does not hold ${from}`);
    this.write(path, after);
  }

  /** Commits the work tree and tells Flux; the revision as Flux writes it. */
  async push(message: string): Promise<string> {
    await this.#git('add', '--all');
    await this.#git(...AUTHOR, 'commit', '--quiet', '--allow-empty', '--message', message);
    const sha = (await this.#git('rev-parse', 'HEAD')).trim();
    const name = `${sha}.tar.gz`;
    await this.#git('archive', '--format=tar.gz', `--output=${join(this.#root, name)}`, 'HEAD');
    await this.#tell(sha, readFileSync(join(this.#root, name)));
    return `main@sha1:${sha}`;
  }

  async #tell(sha: string, archive: Buffer): Promise<void> {
    const { port } = this.#server.address() as AddressInfo;
    const { metadata } = await this.#api.get(this.#repositoryPath);
    const [now, observedGeneration] = [new Date().toISOString(), metadata.generation];
    const artifact = {
      url: `http://127.0.0.1:${port}/${sha}.tar.gz`,
      path: `${sha}.tar.gz`,
      revision: `main@sha1:${sha}`,
      digest: `sha256:${createHash('sha256').update(archive).digest('hex')}`,
      size: archive.length,
      lastUpdateTime: now,
    };
    const ready = { type: 'Ready', status: 'True', reason: 'Succeeded', message: 'stored', lastTransitionTime: now };
    const status = { observedGeneration, artifact, conditions: [{ ...ready, observedGeneration }] };
    await this.#api.patch(`${this.#repositoryPath}/status`, { status });
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
    rmSync(this.#root, { recursive: true, force: true });
  }

  async #git(...argv: readonly string[]): Promise<string> {
    return (await run(['git', ...argv], { cwd: this.folder, env: ENV })).stdout;
  }
}

/**
 * Reads the key that heartbeats are sealed with, from the Secret that the operator creates. The API server is asked
 * first, because it knows of a rotation at once; where it does not answer, the kubelet's copy in a mounted folder lets
 * a speaker that restarts join its peers all the same.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiConnection } from '../cluster/api-connection.ts';
import { isNotFound } from '../cluster/api-error.ts';
import type { Secret } from '../cluster/objects.ts';
import { objectPath, resources } from '../cluster/resource.ts';
import type { Logger } from '../observability/log.ts';
import { MEMBER_KEY_LENGTH } from '../protocols/heartbeat/heartbeat.ts';

const SECRET_NAME = 'herald-memberkey';
/** The key to seal with, and one that is accepted beside it during a rotation. */
const FIELDS = ['key', 'other-key'] as const;
/** While there is no key. */
const RETRY_MS = 500;
/** How soon a rotation is noticed: a rotation waits for longer than this between its steps. */
const READ_AGAIN_MS = 60_000;

export interface MemberKeyOptions {
  readonly connection: ApiConnection;
  readonly namespace: string;
  readonly log: Logger;
  /** Where the Secret is mounted; a folder that is empty or missing is no mistake. */
  readonly memberKeyFolder: string;
  /** Called with the first keys and after each change. */
  readonly onKeys: (keys: readonly Uint8Array[]) => void;
  readonly retryMs?: number;
  readonly readAgainMs?: number;
}

/** Reads until `signal` aborts. A key once read stays in use while the API server or the Secret is away. */
export async function followMemberKey(options: MemberKeyOptions, signal: AbortSignal): Promise<void> {
  const { log, onKeys, retryMs = RETRY_MS, readAgainMs = READ_AGAIN_MS } = options;
  let current = '';
  let lastProblem = '';
  while (!signal.aborted) {
    const keys = await readKeys(options, current === '', signal);
    if (typeof keys === 'string') {
      if (keys !== lastProblem && !signal.aborted) log.warn('no member key', { why: keys, inUse: current !== '' });
      lastProblem = keys;
    } else {
      lastProblem = '';
      const text = keys.map((key) => Buffer.from(key).toString('base64')).join(' ');
      if (text !== current) onKeys(keys);
      current = text;
    }
    await sleep(current === '' ? retryMs : readAgainMs, undefined, { signal }).catch(() => undefined);
  }
}

/** The keys as the API server has them, else, for the `first` ones, as the kubelet has them; or what is wrong. */
async function readKeys(
  { connection, namespace, memberKeyFolder }: MemberKeyOptions,
  first: boolean,
  signal: AbortSignal,
): Promise<readonly Uint8Array[] | string> {
  const path = objectPath(resources.secrets, { namespace, name: SECRET_NAME });
  const answer = await connection
    .request<Secret>({ method: 'GET', path, signal, lane: 'background' })
    .then(({ data = {} }) => keysOf(data), problemOf);
  return first && typeof answer === 'string' ? mountedKeys(memberKeyFolder, answer) : answer;
}

/** The kubelet's copy of the keys, or `problem` where it has none. */
async function mountedKeys(folder: string, problem: string): Promise<readonly Uint8Array[] | string> {
  const data: Record<string, string> = {};
  for (const field of FIELDS) {
    const octets = await readFile(join(folder, field)).catch(() => undefined);
    if (octets) data[field] = octets.toString('base64');
  }
  return data['key'] === undefined ? problem : keysOf(data);
}

/** The keys in the fields of the Secret, or what is wrong with them. */
function keysOf(data: Readonly<Record<string, string>>): readonly Uint8Array[] | string {
  const keys = FIELDS.flatMap((field) => (data[field] === undefined ? [] : [Buffer.from(data[field], 'base64')]));
  if (data['key'] === undefined) return `Secret ${SECRET_NAME} has no field key`;
  if (keys.some(({ length }) => length !== MEMBER_KEY_LENGTH))
    return `a key of Secret ${SECRET_NAME} does not have ${MEMBER_KEY_LENGTH} octets`;
  return keys;
}

function problemOf(error: unknown): string {
  if (isNotFound(error)) return `Secret ${SECRET_NAME} does not exist yet: the operator creates it`;
  return error instanceof Error ? error.message : String(error);
}

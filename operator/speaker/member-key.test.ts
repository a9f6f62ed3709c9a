import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import type { Secret } from '../cluster/objects.ts';
import { FakeApiServer } from '../cluster/testing/fake-api-server.ts';
import { eventually, memoryLogger } from '../cluster/testing/waiting.ts';
import { followMemberKey } from './member-key.ts';

const octets = (value: number, length = 32) => Buffer.alloc(length, value).toString('base64');
const secret = (data: Record<string, string>): Secret => ({
  metadata: { namespace: 'herald-system', name: 'herald-memberkey' },
  data,
});

async function following(
  body: (api: FakeApiServer, seen: string[], lines: string[]) => Promise<void>,
  memberKeyFolder = '/nonexistent',
): Promise<void> {
  const api = await FakeApiServer.start();
  const connection = api.connect();
  const stopping = new AbortController();
  const log = memoryLogger();
  const seen: string[] = [];
  const onKeys = (keys: readonly Uint8Array[]) => void seen.push(keys.map(([first]) => first).join(' '));
  const options = { connection, namespace: 'herald-system', log, memberKeyFolder, onKeys, retryMs: 5, readAgainMs: 10 };
  const done = followMemberKey(options, stopping.signal);
  try {
    await body(api, seen, log.lines);
  } finally {
    stopping.abort();
    await done;
    connection.close();
    api.close();
  }
}

spec('member key', (test) => {
  test('is waited for, and said once to be missing', () =>
    following(async (api, seen, lines) => {
      await eventually('it asks again and again', () => api.requests.length > 3);
      assert.equal([seen, lines], [[], ['warn no member key']]);
      api.put('secrets', secret({ key: octets(1) }));
      await eventually('it is read', () => seen.length > 0);
      assert.equal(seen, ['1']);
    }));
  test('follows a rotation, and stays while the Secret is away', () =>
    following(async (api, seen) => {
      for (const data of [
        { key: octets(1) },
        { key: octets(1), 'other-key': octets(2) },
        { key: octets(2), 'other-key': octets(1) },
        { key: octets(2) },
      ]) {
        const before = seen.length;
        api.put('secrets', secret(data));
        await eventually('the change is read', () => seen.length > before);
      }
      const asked = api.requests.length;
      api.delete('secrets', 'herald-memberkey', 'herald-system');
      await eventually('it asks on', () => api.requests.length > asked + 3);
      assert.equal(seen, ['1', '1 2', '2 1', '2']);
    }));
  test('is read from the mounted folder while the API server has none, and from the API server once it has', () => {
    const folder = mkdtempSync(join(tmpdir(), 'herald-memberkey-'));
    writeFileSync(join(folder, 'key'), Buffer.alloc(32, 7));
    return following(async (api, seen) => {
      await eventually('the copy is read', () => seen.length > 0);
      api.put('secrets', secret({ key: octets(1) }));
      await eventually('the Secret is read', () => seen.length > 1);
      assert.equal(seen, ['7', '1']);
    }, folder).finally(() => rmSync(folder, { recursive: true }));
  });
  test('is not taken when it has another length or no field key', () =>
    following(async (api, seen) => {
      for (const data of [{ key: octets(1, 16) }, { 'other-key': octets(1) }, {}]) {
        api.put('secrets', secret(data));
        const asked = api.requests.length;
        await eventually('it asks on', () => api.requests.length > asked + 2);
      }
      assert.equal(seen, []);
    }));
});

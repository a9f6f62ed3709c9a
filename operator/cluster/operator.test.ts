import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import k8sOperator from '@dot-i/k8s-operator';
import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { Informer } from './informer.ts';
import type { Service } from './objects.ts';
import { HeraldOperator } from './operator.ts';
import { resources } from './resource.ts';
import { FakeApiServer } from './testing/fake-api-server.ts';
import { eventually, memoryLogger } from './testing/waiting.ts';

const KUBECONFIG = `
apiVersion: v1
kind: Config
current-context: a
contexts: [{name: a, context: {cluster: a, user: a}}]
clusters: [{name: a, cluster: {server: 'http://127.0.0.1:1'}}]
users: [{name: a, user: {}}]
`;

/** Counts the calls of every method of the base class, until the test is over. */
async function countingBaseCalls(body: (calls: string[]) => Promise<void>): Promise<void> {
  const base = k8sOperator.default.prototype as unknown as Record<string, (...given: unknown[]) => unknown>;
  const names = Object.getOwnPropertyNames(base).filter((name) => name !== 'constructor');
  const originals = names.map((name) => [name, base[name]] as const);
  const calls: string[] = [];
  for (const [name, original] of originals) {
    base[name] = function (this: unknown, ...given) {
      calls.push(name);
      return original?.apply(this, given);
    };
  }
  try {
    await body(calls);
  } finally {
    for (const [name, original] of originals) if (original) base[name] = original;
  }
}

spec('operator', (test) => {
  test('runs our informers and the work, and of the base class only start and stop', () =>
    countingBaseCalls(async (calls) => {
      const folder = mkdtempSync(join(tmpdir(), 'herald-operator-'));
      writeFileSync(join(folder, 'config'), KUBECONFIG);
      const before = process.env['KUBECONFIG'];
      process.env['KUBECONFIG'] = join(folder, 'config');
      const fake = await FakeApiServer.start();
      const connection = fake.connect();
      const log = memoryLogger();
      try {
        const informer = new Informer(connection, resources.services, { log });
        let isWorking = false;
        const work = async (signal: AbortSignal) => {
          isWorking = true;
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          isWorking = false;
        };
        const operator = new HeraldOperator({ log, informers: [informer], work });
        await operator.start();
        await informer.synced();
        assert.ok(isWorking);
        fake.put<Service>('services', { metadata: { name: 'web', namespace: 'shop' }, spec: {} });
        await eventually('the informer follows', () => informer.store.size === 1);
        fake.cut();
        fake.compact();
        fake.delete('services', 'web', 'shop');
        await eventually('it outlives a broken watch', () => informer.store.size === 0);
        operator.stop();
        await operator.stopped();
        assert.not(isWorking);
        assert.equal(calls, ['start', 'stop']);
      } finally {
        if (before === undefined) delete process.env['KUBECONFIG'];
        else process.env['KUBECONFIG'] = before;
        connection.close();
        fake.close();
        rmSync(folder, { recursive: true });
      }
    }));
});

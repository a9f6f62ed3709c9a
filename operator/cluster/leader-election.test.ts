import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { rejection, spec } from '../../testing/spec.ts';
import type { HttpConnection } from './api-connection.ts';
import { LeaderElection, type LeaderElectionOptions } from './leader-election.ts';
import { LeadershipLostError, type LeaderTerm, Term } from './leader-term.ts';
import type { Lease } from './objects.ts';
import { FakeApiServer } from './testing/fake-api-server.ts';
import { eventually, memoryLogger } from './testing/waiting.ts';

const NAMESPACE = 'herald-system';
const LEASE = 'herald-operator';
/** Ten times as fast as in production, but for the second that a Lease counts in whole. */
const TIMES = { leaseDurationMs: 600, renewEveryMs: 50, requestTimeoutMs: 200 };

interface Candidate {
  readonly identity: string;
  readonly told: string[];
  term(): LeaderTerm | undefined;
  stop(): Promise<void>;
}

async function world(
  body: (parts: {
    fake: FakeApiServer;
    holder: () => string | undefined;
    candidate: (identity: string, options?: Partial<LeaderElectionOptions> & { drainMs?: number }) => Candidate;
  }) => Promise<void>,
): Promise<void> {
  const fake = await FakeApiServer.start();
  const stops: (() => Promise<void>)[] = [];
  const connections: HttpConnection[] = [];
  const candidate = (
    identity: string,
    { drainMs = 0, ...options }: Partial<LeaderElectionOptions> & { drainMs?: number } = {},
  ) => {
    const connection = fake.connect();
    connections.push(connection);
    const told: string[] = [];
    let term: LeaderTerm | undefined;
    const election = new LeaderElection({
      connection,
      namespace: NAMESPACE,
      name: LEASE,
      identity,
      log: memoryLogger(),
      ...TIMES,
      ...options,
    });
    const aborter = new AbortController();
    const run = election.run(
      {
        onStartedLeading: (started) => {
          term = started;
          told.push('started');
        },
        onStoppedLeading: async () => {
          await sleep(drainMs);
          term = undefined;
          told.push('stopped');
        },
      },
      aborter.signal,
    );
    const stop = async () => {
      aborter.abort();
      await run;
    };
    stops.push(stop);
    return { identity, told, term: () => term, stop };
  };
  const holder = () => (fake.get('leases', LEASE, NAMESPACE) as Lease | undefined)?.spec?.holderIdentity;
  try {
    await body({ fake, holder, candidate });
  } finally {
    fake.up();
    await Promise.all(stops.map((stop) => stop()));
    for (const connection of connections) connection.close();
    fake.close();
  }
}

const held = (holderIdentity: string, renewTime = 'a'): Lease => ({
  metadata: { name: LEASE, namespace: NAMESPACE },
  spec: { holderIdentity, leaseDurationSeconds: 1, renewTime },
});

spec('leader election', (test) => {
  test('the first one creates the Lease and leads, the second stands by', () =>
    world(async ({ candidate, holder }) => {
      const a = candidate('a');
      await eventually('a leads', () => a.term());
      const b = candidate('b');
      await sleep(300);
      assert.is(holder(), 'a');
      assert.ok(a.term()?.mayWrite());
      assert.equal(b.told, []);
    }));

  test('a released Lease is taken at once', () =>
    world(async ({ candidate, holder }) => {
      const a = candidate('a');
      await eventually('a leads', () => a.term());
      const b = candidate('b');
      await sleep(50);
      const stopping = performance.now();
      await a.stop();
      await eventually('b leads', () => b.term());
      assert.ok(performance.now() - stopping < 200, `took ${performance.now() - stopping} ms`);
      assert.equal(a.told, ['started', 'stopped']);
      assert.is(holder(), 'b');
    }));

  test('the Lease is given back only when the work has ended', () =>
    world(async ({ candidate, holder }) => {
      const a = candidate('a', { drainMs: 100 });
      await eventually('a leads', () => a.term());
      const term = a.term();
      const stopped = a.stop();
      await sleep(50);
      assert.is(holder(), 'a');
      assert.not(term?.mayWrite());
      await stopped;
      assert.is(holder(), '');
    }));

  test('a write that is under way is waited for', () =>
    world(async ({ candidate, holder }) => {
      const a = candidate('a');
      await eventually('a leads', () => a.term());
      const write = a.term()?.during(() => sleep(100));
      const stopped = a.stop();
      await sleep(50);
      assert.is(holder(), 'a');
      await write;
      await stopped;
      assert.is(holder(), '');
    }));

  test('an unreleased Lease is waited out from the last renewal that was seen', () =>
    world(async ({ fake, candidate, holder }) => {
      fake.put('leases', held('dead'));
      const b = candidate('b');
      await sleep(500);
      fake.put('leases', held('dead', 'renewed'));
      const renewedAt = performance.now();
      await eventually('b leads', () => b.term());
      const waited = performance.now() - renewedAt;
      assert.ok(waited > 990 && waited < 1_300, `waited ${waited} ms`);
      assert.is(holder(), 'b');
    }));

  test('a deleted Lease counts as unreleased', () =>
    world(async ({ fake, candidate }) => {
      fake.put('leases', held('dead'));
      const b = candidate('b');
      await sleep(100);
      fake.delete('leases', LEASE, NAMESPACE);
      await sleep(450);
      assert.not(b.term());
      await eventually('b leads', () => b.term());
    }));

  test('a leader that cannot renew may not write before its lease ends, and then stops', () =>
    world(async ({ fake, candidate }) => {
      const a = candidate('a');
      await eventually('a leads', () => a.term());
      const term = a.term();
      fake.down();
      const downAt = performance.now();
      await eventually('it may not write', () => !term?.mayWrite());
      const mayNot = performance.now() - downAt;
      assert.not(term?.signal.aborted);
      await eventually('it stopped', () => a.told.includes('stopped'));
      assert.ok(mayNot < 450, `still wrote after ${mayNot} ms`);
      fake.up();
      await eventually('it leads again', () => a.term());
    }));

  test('a leader that was replaced stops at its next renewal', () =>
    world(async ({ fake, candidate }) => {
      const a = candidate('a');
      await eventually('a leads', () => a.term());
      fake.put('leases', { ...held('b'), spec: { holderIdentity: 'b', leaseDurationSeconds: 15 } } as Lease);
      await eventually('it stopped', () => a.told.includes('stopped'), 300);
    }));

  test('somebody who edits the Lease does not end the term', () =>
    world(async ({ fake, candidate }) => {
      const a = candidate('a');
      await eventually('a leads', () => a.term());
      const lease = fake.get('leases', LEASE, NAMESPACE) as Lease;
      fake.put('leases', { ...lease, metadata: { ...lease.metadata, annotations: { edited: 'yes' } } });
      await sleep(800);
      assert.equal(a.told, ['started']);
      assert.ok(a.term()?.mayWrite());
    }));

  test('leads again after a restart under the same name without waiting', () =>
    world(async ({ fake, candidate }) => {
      fake.put('leases', held('a'));
      const startedAt = performance.now();
      const a = candidate('a');
      await eventually('a leads', () => a.term());
      assert.ok(performance.now() - startedAt < 300);
    }));
});

spec('leader term', (test) => {
  test('may write until the lease ends less the time that a write may take', async () => {
    let now = 0;
    const term = new Term(3_000, 1_000, () => now);
    now = 1_999;
    assert.ok(term.mayWrite());
    now = 2_000;
    assert.not(term.mayWrite());
    await rejection(LeadershipLostError, () => term.assertMayWrite());
    term.extend(6_000);
    assert.ok(term.mayWrite());
    term.end();
    assert.not(term.mayWrite());
    assert.ok(term.signal.aborted);
  });
});

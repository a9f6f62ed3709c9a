import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { eventually } from '../cluster/testing/waiting.ts';
import { SourceStage } from './testing/source-stage.ts';

async function on(
  body: (stage: SourceStage) => Promise<void>,
  addresses?: readonly string[],
  token?: string,
): Promise<void> {
  const stage = await SourceStage.open({ ...(addresses && { addresses }), ...(token && { token }) });
  try {
    await body(stage);
  } finally {
    await stage.close();
  }
}

const assignedAre = (stage: SourceStage, ...expected: readonly string[]): Promise<void> =>
  eventually(`${expected.join(', ')} assigned`, () => stage.assigned.join() === expected.join());
const claimedAre = (stage: SourceStage, ...expected: readonly string[]): Promise<void> =>
  eventually(`${expected.join(', ')} claimed`, () => stage.claimed.join() === expected.join());
const releases = ({ server }: SourceStage): number => server.done.filter((what) => what.startsWith('release')).length;

spec('addresses of external sources', (test) => {
  test('are claimed for who waits, of both families together, and given back by who goes', () =>
    on(async (stage) => {
      stage.lead();
      stage.create('one');
      stage.create('both', { families: [4, 6] });
      await assignedAre(stage, 'both 192.0.2.2', 'both 2001:db8:2::1', 'one 192.0.2.1');
      stage.remove('one');
      await claimedAre(stage, 'both 192.0.2.2', 'both 2001:db8:2::1');
      stage.create('asks', { asked: '192.0.2.7' });
      await assignedAre(stage, 'asks 192.0.2.7', 'both 192.0.2.2', 'both 2001:db8:2::1');
    }));

  test('are the same after a crash between the claim and the status', () =>
    on(async (stage) => {
      stage.isWriteLost = true;
      stage.create('web');
      stage.lead();
      await claimedAre(stage, 'web 192.0.2.1');
      await stage.kill();
      stage.isWriteLost = false;
      stage.lead();
      await assignedAre(stage, 'web 192.0.2.1');
      assert.equal(stage.claimed, ['web 192.0.2.1']);
    }));

  test('are not lost with an answer that is lost, late or wrong', () =>
    on(async (stage) => {
      stage.lead();
      for (const [at, mode] of (['lost', 'late', 'slow', 'error', 'garbage', 'down', 'endless'] as const).entries()) {
        await eventually('the source is at rest', () => stage.leader.sources.report()[0]?.isUp);
        stage.server.fault = { mode, times: 2, delayMs: 150 };
        stage.create(`s${at}`);
        await eventually(`${mode} is over`, () => stage.services.get(`shop/s${at}`)?.addresses.length === 1);
      }
      assert.equal(stage.claimed, stage.assigned);
      assert.is(stage.claimed.length, 7);
    }));

  test('wait while the source is down, which the condition says; what is held stays, what is freed goes back later', () =>
    on(async (stage) => {
      stage.lead();
      stage.create('old');
      stage.create('gone');
      await assignedAre(stage, 'gone 192.0.2.2', 'old 192.0.2.1');
      await stage.server.stop();
      stage.create('new');
      stage.remove('gone');
      await eventually('it is told', () =>
        stage.reasonOf('new').startsWith('SourceUnreachable: The source of pool a cannot'),
      );
      assert.match(stage.reasonOf('new'), / of a (claim|list): .*\. It is asked again and again\.$/);
      await stage.kill();
      stage.lead();
      assert.equal(stage.assigned, ['old 192.0.2.1']);
      await eventually('it is told', () => stage.reasonOf('new').startsWith('SourceUnreachable'));
      await stage.server.start();
      await eventually('new has one', () => stage.assigned.length === 2);
      await eventually('only what lives is claimed', () => stage.claimed.join() === stage.assigned.join());
      assert.match(stage.reasonOf('new'), /^AddressPending/);
    }));

  test('that are no use go back, and the Service is told why', () =>
    on(
      async (stage) => {
        stage.lead();
        stage.create('web');
        await eventually('it is refused', () => stage.leader.refusals.has('shop/web'));
        assert.is(
          stage.leader.refusals.get('shop/web'),
          'The source refuses: it gave 198.51.100.9, which is not in the pool.',
        );
        await claimedAre(stage);
        assert.equal(stage.assigned, []);
      },
      ['198.51.100.9'],
    ));

  test('that somebody else holds already are never given', () =>
    on(async (stage) => {
      stage.create('old', { addresses: ['192.0.2.1'] });
      stage.lead();
      await claimedAre(stage, 'old 192.0.2.1');
      stage.server.claims.clear();
      stage.create('new');
      await eventually('it is refused', () => stage.leader.refusals.has('shop/new'));
      assert.match(stage.leader.refusals.get('shop/new') ?? '', /it gave 192\.0\.2\.1, which shop\/old holds\.$/);
      await claimedAre(stage);
    }));

  test('of one family are given back where the other is refused', () =>
    on(
      async (stage) => {
        stage.lead();
        stage.create('both', { families: [4, 6] });
        await eventually('it is refused', () => stage.leader.refusals.has('shop/both'));
        assert.is(stage.leader.refusals.get('shop/both'), 'The source refuses: no address is free.');
        await claimedAre(stage);
      },
      ['192.0.2.1'],
    ));

  test('that Services hold already are claimed when a pool gets a source, and disputes are told', () =>
    on(async (stage) => {
      stage.create('old', { addresses: ['192.0.2.5'] });
      stage.create('odd', { addresses: ['192.0.2.60'] });
      stage.listEveryMs = 20;
      stage.lead();
      await claimedAre(stage, 'old 192.0.2.5');
      await eventually('it is told', () => stage.events.length > 0);
      await eventually('it was asked again', () => stage.server.done.filter((what) => what === 'list').length > 3);
      assert.equal(stage.events, [
        'Warning SourceRefused shop/odd: The Service keeps 192.0.2.60, which the source of pool a does not confirm: 192.0.2.60 is not free',
      ]);
      assert.equal(stage.assigned, ['odd 192.0.2.60', 'old 192.0.2.5']);
    }));

  test('stay claimed by whoever claimed them first, as long as somebody shares them', () =>
    on(async (stage) => {
      stage.create('first', { asked: '192.0.2.3' });
      stage.lead();
      await claimedAre(stage, 'first 192.0.2.3');
      await stage.kill();
      stage.create('second', { addresses: ['192.0.2.3'] });
      stage.remove('first');
      stage.lead();
      await eventually('it was listed', () => stage.server.done.at(-1) === 'list');
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.is(releases(stage), 0);
      assert.equal(stage.events, []);
      stage.remove('second');
      await claimedAre(stage);
    }));

  test('are claimed again when the source has forgotten them, and follow what Services hold', () =>
    on(async (stage) => {
      stage.listEveryMs = 30;
      stage.lead();
      stage.create('web');
      await assignedAre(stage, 'web 192.0.2.1');
      stage.server.claims.clear();
      await claimedAre(stage, 'web 192.0.2.1');
      const [claim] = stage.server.claims.values();
      if (!claim) throw new Error('no claim');
      stage.server.claims.set(claim.id, { ...claim, address: '192.0.2.9' });
      await claimedAre(stage, 'web 192.0.2.1');
      assert.equal(stage.assigned, ['web 192.0.2.1']);
    }));

  test('of Services that are gone are released by the next leader; those of other clusters are left alone', () =>
    on(async (stage) => {
      stage.create('web');
      stage.create('gone');
      stage.lead();
      await eventually('both have one', () => stage.assigned.length === 2);
      await stage.kill();
      const [claim] = stage.server.claims.values();
      if (!claim) throw new Error('no claim');
      stage.server.claims.set('theirs', { ...claim, id: 'theirs', cluster: 'another', address: '192.0.2.11' });
      stage.server.listsAll = true;
      stage.remove('gone');
      stage.lead();
      await eventually('gone is released', () => stage.claimed.length === 2);
      assert.ok(stage.server.claims.has('theirs'));
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.is(releases(stage), 1);
    }));

  test('are not released by a leader of the past whose request comes late', () =>
    on(async (stage) => {
      stage.lead();
      stage.create('web');
      await assignedAre(stage, 'web 192.0.2.1');
      // The first leader wants to release it; the request lingers, and meanwhile the second one claims it again.
      stage.server.fault = { mode: 'slow', times: 1, delayMs: 200 };
      stage.leader.letGo('shop/web');
      await eventually('the release is on its way', () => stage.server.fault.mode === 'none');
      await stage.kill();
      stage.services.set('shop/web', { uid: 'uid-1', families: [4], addresses: [] });
      stage.lead();
      await assignedAre(stage, 'web 192.0.2.1');
      await eventually('the release came', () => releases(stage) > 0);
      assert.equal(stage.claimed, ['web 192.0.2.1']);
    }));

  test('of a Service that the store does not show yet are left alone', () =>
    on(async (stage) => {
      stage.create('web');
      stage.lead();
      await assignedAre(stage, 'web 192.0.2.1');
      await stage.kill();
      const service = stage.stores.services.get('shop/web');
      if (!service) throw new Error('no Service');
      stage.unseen.set('shop/web', service);
      stage.remove('web');
      stage.lead();
      await eventually('it was listed', () => stage.server.done.at(-1) === 'list');
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.equal(stage.claimed, ['web 192.0.2.1']);
      assert.is(releases(stage), 0);
    }));

  test('are not claimed for a Service that is gone when the source answers again', () =>
    on(async (stage) => {
      stage.lead();
      stage.server.fault = { mode: 'down' };
      stage.create('web');
      await eventually('it is told', () => stage.reasonOf('web').startsWith('SourceUnreachable'));
      stage.remove('web');
      // A claim that was on its way by then has ended.
      await new Promise((resolve) => setTimeout(resolve, 2 * stage.timeoutMs));
      stage.server.fault = { mode: 'none' };
      await eventually('it was released', () => releases(stage) > 0);
      assert.equal(
        stage.server.done.filter((what) => what.startsWith('claim')),
        [],
      );
    }));

  test('are asked for by few while the source is down, however many wait', () =>
    on(async (stage) => {
      stage.backoff = { baseMs: 2_000, quickCapMs: 2_000 };
      stage.server.fault = { mode: 'down' };
      stage.lead();
      for (let at = 0; at < 30; at++) stage.create(`s${at}`);
      await eventually('it is told', () => stage.reasonOf('s0').startsWith('SourceUnreachable'));
      await new Promise((resolve) => setTimeout(resolve, 100));
      assert.ok(stage.server.requests <= 8, `${stage.server.requests} requests`);
    }));

  test('are claimed with the token that the Secret has by then', () =>
    on(
      async (stage) => {
        stage.token = 'old';
        stage.lead();
        stage.create('web');
        await eventually('it is told', () => /401: the token is not the one/.test(stage.reasonOf('web')));
        stage.token = 'new';
        await assignedAre(stage, 'web 192.0.2.1');
      },
      ['192.0.2.1'],
      'new',
    ));

  test('wait for what is wrong by now, not for what was wrong first', () =>
    on(
      async (stage) => {
        stage.server.fault = { mode: 'down' };
        stage.lead();
        stage.create('web');
        await eventually('it is told', () => stage.reasonOf('web').startsWith('SourceUnreachable'));
        stage.server.fault = { mode: 'none' };
        await eventually('it is told', () => /401: the token is not the one/.test(stage.reasonOf('web')));
      },
      undefined,
      'secret',
    ));

  test('wait only for a source that fails for them alone', () =>
    on(async (stage) => {
      stage.lead();
      stage.server.fault = { mode: 'error', times: 1 };
      stage.create('first');
      await eventually('the failure is over', () => stage.server.fault.mode === 'none');
      stage.create('second');
      await eventually('both have one', () => stage.assigned.length === 2);
    }));
});

import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { eventually, memoryLogger } from '../cluster/testing/waiting.ts';
import { AnnouncedWork } from './announced-work.ts';
import { AnnouncedStage } from './testing/announced-stage.ts';

const SCOPE = { ownNamespace: 'herald-system', configNamespaces: ['herald-system'], lbClass: '' };

spec('the work on what is announced', (test) => {
  test('looks at changed Services only when no address waits to be written', async () => {
    const stage = new AnnouncedStage();
    const ending = new AbortController();
    let isBusy = true;
    const work = new AnnouncedWork(stage.world(), SCOPE, { mode: 'all', isBusy: () => isBusy, log: memoryLogger() });
    const running = work.run(ending.signal);
    stage.service('web', '10.0.0.1');
    work.serviceChanged('shop/web');
    stage.report();
    for (const node of stage.alive) work.reportChanged(node);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(stage.writes, []);
    isBusy = false;
    await eventually('it is told', () => stage.writes.length === 2);
    assert.equal(stage.writes, ['store shop/web', 'status shop/web']);
    ending.abort();
    await running;
  });
});

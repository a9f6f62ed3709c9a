import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { Controller } from '../cluster/controller.ts';
import { eventually, memoryLogger } from '../cluster/testing/waiting.ts';
import { FormerServicesReconciler } from './former-services.ts';

spec('former services', (test) => {
  test('are found as soon as the API server answers', async () => {
    let tries = 0;
    const readFormerServices = async () => {
      tries += 1;
      if (tries < 3) throw new Error('no answer');
      return [{ metadata: { namespace: 'shop', name: 'web' }, spec: { type: 'ClusterIP' } }];
    };
    const noted: string[] = [];
    const reconciler = new FormerServicesReconciler(
      { readFormerServices },
      { noteReleased: (key) => void noted.push(key) },
    );
    const controller = new Controller(reconciler, { workers: 1, log: memoryLogger() });
    const end = new AbortController();
    const running = controller.run(end.signal);
    controller.enqueue('all');
    try {
      await eventually('it is noted', () => noted.length > 0);
    } finally {
      end.abort();
      await running;
    }
    assert.equal([noted, tries], [['shop/web'], 3]);
  });
});

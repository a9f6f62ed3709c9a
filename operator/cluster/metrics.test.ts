import { Registry } from 'prom-client';
import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { createClusterMetrics } from './metrics.ts';
import { WorkQueue } from './work-queue.ts';

spec('metrics of the cluster door', (test) => {
  test("a queue shows client-go's names", async () => {
    const registry = new Registry();
    const metrics = createClusterMetrics(registry);
    let now = 0;
    const queue = new WorkQueue({ metrics: metrics.queue('services'), now: () => now });
    metrics.watchQueue('services', queue);
    queue.add('a');
    queue.add('b');
    await queue.get();
    now = 2_000;
    const text = await registry.metrics();
    for (const line of [
      'workqueue_adds_total{name="services"} 2',
      'workqueue_depth{name="services"} 1',
      'workqueue_unfinished_work_seconds{name="services"} 2',
      'workqueue_longest_running_processor_seconds{name="services"} 2',
      'workqueue_queue_duration_seconds_count{name="services"} 1',
    ]) {
      assert.ok(text.includes(line), `${line}\n${text}`);
    }
    queue.done('a');
    queue.addRateLimited('a');
    queue.shutDown();
    const after = await registry.metrics();
    assert.ok(after.includes('workqueue_work_duration_seconds_sum{name="services"} 2'));
    assert.ok(after.includes('workqueue_retries_total{name="services"} 1'));
  });

  test("reconciles count under MetalLB's names", async () => {
    const registry = new Registry();
    const { reconciled } = createClusterMetrics(registry);
    reconciled('services', 'success', 5);
    reconciled('services', 'error', 5);
    const text = await registry.metrics();
    assert.ok(text.includes('metallb_k8s_client_updates_total 2'));
    assert.ok(text.includes('metallb_k8s_client_update_errors_total 1'));
  });
});

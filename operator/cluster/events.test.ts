import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import type { ApiConnection, ApiRequest } from './api-connection.ts';
import { ApiError } from './api-error.ts';
import { EventRecorder } from './events.ts';
import type { KubernetesObject } from './objects.ts';
import { eventually, memoryLogger } from './testing/waiting.ts';

const service = (name: string): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'shop', uid: `uid-${name}`, resourceVersion: '7' },
});

/** A recorder, what it sent, and what became of each event. */
function recording(
  fail: (request: ApiRequest) => Error | undefined = () => undefined,
  holdWhile: () => boolean = () => false,
) {
  const sent: ApiRequest[] = [];
  const outcomes: string[] = [];
  let now = Date.parse('2026-01-01T00:00:00Z');
  const connection = {
    request: async (request: ApiRequest) => {
      sent.push(request);
      const error = fail(request);
      if (error) throw error;
    },
  } as unknown as ApiConnection;
  const recorder = new EventRecorder(connection, {
    component: 'herald-operator',
    instance: 'herald-operator-1',
    log: memoryLogger(),
    seriesEveryMs: 20,
    now: () => now,
    holdWhile,
    metrics: { eventRecorded: (outcome) => void outcomes.push(outcome) },
  });
  const pass = (ms: number) => {
    now += ms;
  };
  return { recorder, sent, outcomes, pass };
}

spec('events', (test) => {
  test('wait while there is something more important to send', async () => {
    let isBusy = true;
    const { recorder, sent } = recording(undefined, () => isBusy);
    for (const name of ['a', 'b', 'c']) recorder.event(service(name), 'Normal', 'IPAllocated', 'x');
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.is(sent.length, 0);
    isBusy = false;
    await recorder.flush();
    assert.is(sent.length, 3);
    recorder.event(service('d'), 'Normal', 'IPAllocated', 'x');
    await recorder.flush();
    assert.is(sent.length, 4);
  });

  test('an event names its object, its reporter and why', async () => {
    const { recorder, sent } = recording();
    recorder.event(service('web'), 'Normal', 'IPAllocated', 'Assigned IP ["192.0.2.1"]');
    await recorder.flush();
    const [{ method, path, lane, body }] = sent as [ApiRequest];
    assert.equal([method, path, lane], ['POST', '/apis/events.k8s.io/v1/namespaces/shop/events', 'background']);
    const { metadata, ...rest } = body as KubernetesObject;
    assert.ok(metadata.name.startsWith('web.'));
    assert.equal(rest, {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      eventTime: '2026-01-01T00:00:00.000000Z',
      reportingController: 'herald-operator',
      reportingInstance: 'herald-operator-1',
      action: 'IPAllocated',
      type: 'Normal',
      reason: 'IPAllocated',
      note: 'Assigned IP ["192.0.2.1"]',
      regarding: {
        apiVersion: 'v1',
        kind: 'Service',
        name: 'web',
        namespace: 'shop',
        uid: 'uid-web',
        resourceVersion: '7',
      },
    });
  });

  test('repeats are counted into the first one, in one write for many', async () => {
    const { recorder, sent, outcomes } = recording();
    for (let at = 0; at < 5; at += 1) recorder.event(service('web'), 'Warning', 'AllocationFailed', 'full');
    await eventually('the count was written', () => sent.length === 2);
    await recorder.flush();
    assert.equal(outcomes, ['Written', 'Counted']);
    const { path } = sent[1] as ApiRequest;
    const { name } = (sent[0]?.body as KubernetesObject | undefined)?.metadata ?? {};
    assert.ok(path.endsWith(`/events/${name}`));
    assert.is((sent[1]?.body as { series: { count: number } } | undefined)?.series.count, 5);
    recorder.close();
  });

  test('an event that comes back after a long time is told anew', async () => {
    const { recorder, sent, pass } = recording();
    recorder.event(service('web'), 'Warning', 'AllocationFailed', 'full');
    pass(7 * 60_000);
    recorder.event(service('web'), 'Warning', 'AllocationFailed', 'full');
    await recorder.flush();
    assert.equal(
      sent.map(({ method }) => method),
      ['POST', 'POST'],
    );
  });

  test('an object that flaps does not flood, and does not silence others', async () => {
    const { recorder, sent, outcomes, pass } = recording();
    for (let at = 0; at < 40; at += 1) recorder.event(service('web'), 'Normal', 'IPAllocated', `address ${at}`);
    recorder.event(service('api'), 'Normal', 'IPAllocated', 'address');
    await recorder.flush();
    assert.is(sent.length, 26);
    assert.is(outcomes.filter((outcome) => outcome === 'Dropped').length, 15);
    pass(300_000);
    recorder.event(service('web'), 'Normal', 'IPAllocated', 'one more');
    await recorder.flush();
    assert.is(sent.length, 27);
  });

  test('tries again without an answer, not after a refusal, and never throws', async () => {
    const lost = recording(() => new ApiError(0, 'ConnectionFailed', 'lost'));
    lost.recorder.event(service('web'), 'Normal', 'IPAllocated', 'a');
    await lost.recorder.flush();
    assert.is(lost.sent.length, 3);
    const refused = recording(() => new ApiError(403, 'Forbidden', 'namespace is terminating'));
    refused.recorder.event(service('web'), 'Normal', 'IPAllocated', 'a');
    await refused.recorder.flush();
    assert.is(refused.sent.length, 1);
    assert.equal(refused.outcomes, ['Dropped']);
  });

  test('what has no namespace is reported in default', async () => {
    const { recorder, sent } = recording();
    recorder.event({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'a' } }, 'Normal', 'x', 'y');
    await recorder.flush();
    assert.is(sent[0]?.path, '/apis/events.k8s.io/v1/namespaces/default/events');
  });
});

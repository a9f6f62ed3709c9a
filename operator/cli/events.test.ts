import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import type { ApiConnection, ApiRequest } from '../cluster/api-connection.ts';
import { ApiError } from '../cluster/api-error.ts';
import { events } from './events.ts';
import { runCommand } from './run.ts';
import { memoryIo } from './testing/memory-io.ts';

const event = (reason: string, eventTime: string, more: object = {}) => ({
  metadata: { name: reason.toLowerCase() },
  type: 'Normal',
  reason,
  note: `it said ${reason}`,
  eventTime,
  regarding: { kind: 'Service', namespace: 'shop', name: 'web' },
  ...more,
});

/** An API server with events of the operator and of a speaker; `asked` are the requests. */
function cluster() {
  const asked: ApiRequest[] = [];
  const connection: ApiConnection = {
    async request<T>(request: ApiRequest): Promise<T> {
      asked.push(request);
      const { fieldSelector = '' } = request.query ?? {};
      const items = fieldSelector.includes('herald-operator')
        ? [
            event('IPAllocated', '2026-03-01T11:00:00.000000Z'),
            event('AllocationFailed', '2026-03-01T10:00:00.000000Z', {
              type: 'Warning',
              series: { count: 7, lastObservedTime: '2026-03-01T11:59:58.000000Z' },
            }),
          ]
        : [event('nodeAssigned', '2026-03-01T11:00:05.000000Z')];
      if (fieldSelector.includes('regarding.name=nobody')) throw new ApiError(403, 'Forbidden', 'events is forbidden');
      return { metadata: { resourceVersion: '1' }, items } as T;
    },
    watch: () => {
      throw new Error('nobody watches here');
    },
    close: () => undefined,
  };
  return { asked, io: memoryIo({ connection }) };
}

spec('herald events', (test) => {
  test('shows those of operator and speakers by the time they were last seen', async () => {
    const { io } = cluster();
    assert.is(await runCommand(events, [], io), 0);
    const lines = io.printed.stdout.split('\n');
    assert.equal(lines.map((line) => line.trim().split(/ {2,}/)).slice(1, 4), [
      ['60m', 'Normal', 'IPAllocated', 'service/shop/web', '1', 'it said IPAllocated'],
      ['59m', 'Normal', 'nodeAssigned', 'service/shop/web', '1', 'it said nodeAssigned'],
      ['2s', 'Warning', 'AllocationFailed', 'service/shop/web', '7', 'it said AllocationFailed'],
    ]);
  });

  const choices: [args: string[], path: string, selector: string][] = [
    [[], '/apis/events.k8s.io/v1/events', 'reportingController=herald-operator'],
    [['-n', 'shop'], '/apis/events.k8s.io/v1/namespaces/shop/events', 'reportingController=herald-operator'],
    [
      ['bank/api'],
      '/apis/events.k8s.io/v1/namespaces/bank/events',
      'reportingController=herald-operator,regarding.name=api',
    ],
    [
      ['api'],
      '/apis/events.k8s.io/v1/namespaces/default/events',
      'reportingController=herald-operator,regarding.name=api',
    ],
  ];
  for (const [args, path, selector] of choices)
    test(`lets the API server choose: ${args.join(' ') || 'all'}`, async () => {
      const { io, asked } = cluster();
      await runCommand(events, args, io);
      assert.is(asked[0]?.path, path);
      assert.is(asked[0]?.query?.['fieldSelector'], selector);
    });

  test('are whole objects as JSON', async () => {
    const { io } = cluster();
    await runCommand(events, ['-o', 'json'], io);
    assert.is((JSON.parse(io.printed.stdout) as unknown[]).length, 3);
  });

  test('that may not be read are one sentence', async () => {
    const { io } = cluster();
    assert.is(await runCommand(events, ['nobody'], io), 1);
    assert.is(io.printed.stderr, 'herald events: events is forbidden\n');
  });
});

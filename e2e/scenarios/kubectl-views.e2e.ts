/** What people see with kubectl: addresses, Ready, Reason and events that explain. */

import * as assert from 'uvu/assert';
import { kubectl } from '../lib/lab.ts';
import { scenario } from '../lib/scenario.ts';
import { waitFor } from '../lib/wait-for.ts';

/** The row of a table whose first columns contain `name`, split at blanks of two or more. */
function row(table: string, name: string): string[] {
  const line = table.split('\n').find((text) => text.includes(name));
  assert.ok(line, `${name} is in:\n${table}`);
  return (line ?? '').trim().split(/\s+/);
}

scenario('kubectl-views', (test) => {
  test('kubectl get herald -A shows pools and advertisements with Ready and Reason', async (world) => {
    await world.pool();
    await world.advertise();
    await world.web();
    await world.service({ name: 'seen' });
    await world.addressesOf('seen');
    const table = await waitFor(
      'the pool counts its addresses',
      { withinMs: 5_000 },
      () => kubectl('get', 'herald', '-A'),
      (text) =>
        /ipaddresspool\S*\/kubectl-views\s+True\s+Serving/.test(text) &&
        /l2advertisement\S*\/kubectl-views\s+True\s+Announcing/.test(text),
    );
    console.log(table);
    for (const column of ['NAME', 'READY', 'REASON', 'AGE']) assert.match(table, column);
  });

  test('kubectl get svc shows the addresses of both families', async (world) => {
    const table = await kubectl('-n', world.namespace, 'get', 'svc', 'seen');
    console.log(table);
    assert.is(row(table, 'seen')[3], (await world.addressesNow('seen')).join(','));
  });

  test('kubectl describe svc shows the addresses and the events of a Service that works', async (world) => {
    const [first = ''] = await world.addressesNow('seen');
    const text = await waitFor(
      'both events are there',
      { withinMs: 20_000 },
      () => kubectl('-n', world.namespace, 'describe', 'svc', 'seen'),
      (said) => said.includes('IPAllocated') && said.includes('nodeAssigned'),
    );
    console.log(text);
    assert.match(text, first);
    assert.match(text, /Normal\s+IPAllocated/);
    assert.match(text, /Normal\s+nodeAssigned/);
  });

  test('kubectl describe svc explains why a Service has no address', async (world) => {
    await world.service({ name: 'unserved', annotations: { 'metallb.io/address-pool': 'nowhere' } });
    const text = await waitFor(
      'the event is there',
      { withinMs: 20_000 },
      () => kubectl('-n', world.namespace, 'describe', 'svc', 'unserved'),
      (said) => said.includes('AllocationFailed'),
    );
    console.log(text);
    assert.match(text, /Warning\s+AllocationFailed.*nowhere/);
    const condition = await kubectl(
      '-n',
      world.namespace,
      'get',
      'svc',
      'unserved',
      '-o',
      'jsonpath={.status.conditions}',
    );
    assert.match(condition, /"reason":"PoolNotFound"/);
  });
});

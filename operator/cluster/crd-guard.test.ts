import * as assert from 'uvu/assert';
import { rejection, spec } from '../../testing/spec.ts';
import type { ApiConnection } from './api-connection.ts';
import { ApiError } from './api-error.ts';
import { CrdGuard } from './crd-guard.ts';
import { resources } from './resource.ts';

const crd = (uid: string, { established = 'True', deletionTimestamp = '' } = {}) => ({
  metadata: { name: 'ipaddresspools.metallb.io', uid, ...(deletionTimestamp && { deletionTimestamp }) },
  status: { conditions: [{ type: 'Established', status: established }] },
});

/** A guard that has seen the CRD `first`, and then gets `answer`. */
async function seen(answer: () => unknown): Promise<CrdGuard> {
  let next: () => unknown = () => crd('first');
  const connection = { request: async () => next() } as unknown as ApiConnection;
  const guard = new CrdGuard(connection, resources.ipAddressPools);
  await guard.lookAndFollow();
  next = answer;
  return guard;
}

spec('CRD guard', (test) => {
  for (const [name, answer, verdict] of [
    ['the same one', () => crd('first'), 'Intact'],
    ['another one of its name', () => crd('second'), 'Replaced'],
    ['one that is terminating', () => crd('first', { deletionTimestamp: '2026-01-01T00:00:00Z' }), 'Away'],
    ['one that is not served yet', () => crd('first', { established: 'False' }), 'Away'],
  ] as const) {
    test(`${name} is ${verdict}`, async () => assert.is(await (await seen(answer)).look(), verdict));
  }

  test('none is Away', async () => {
    const guard = await seen(() => {
      throw new ApiError(404, 'NotFound', 'gone');
    });
    assert.is(await guard.look(), 'Away');
  });

  test('looking does not follow: what was replaced stays replaced until it is followed', async () => {
    const guard = await seen(() => crd('second'));
    assert.equal([await guard.look(), await guard.look()], ['Replaced', 'Replaced']);
    assert.equal([await guard.lookAndFollow(), await guard.look()], ['Replaced', 'Intact']);
  });

  test('no answer is no verdict', async () => {
    const guard = await seen(() => {
      throw new ApiError(0, 'Timeout', 'no answer');
    });
    await rejection(ApiError, () => guard.look());
  });
});

import * as assert from 'uvu/assert';
import { ip, pool } from '../../testing/allocation.ts';
import { spec } from '../../testing/spec.ts';
import { memoryLogger } from '../cluster/testing/waiting.ts';
import { claimFault } from './claim-fault.ts';
import { claimOf } from './claim-id.ts';
import { type ClaimRecord, Claims } from './claims.ts';
import { SourceLine } from './source-line.ts';

const line = new SourceLine(pool('a', { size: 8, sizeV6: 8 }), {
  open: () => Promise.reject(new Error('nobody asks here')),
  work: () => Promise.resolve(undefined),
  changed: () => undefined,
  clock: () => 0,
  log: memoryLogger(),
});
const recordOf = (name: string, more: Partial<ClaimRecord> = {}): ClaimRecord => {
  const service = { metadata: { namespace: 'shop', name, uid: `uid-${name}` } };
  const claim = claimOf('cluster-1', line.key, service, 4);
  return { claim, line, wants: 'Claim', isConfirmed: false, since: 0, ...more };
};

spec('an address that a source gives', (test) => {
  const claims = new Claims();
  claims.put(recordOf('other', { address: ip('192.0.2.3') }));
  const holders = {
    holdersOf: (address: { value: bigint }) => (address.value === ip('192.0.2.2').value ? ['shop/b'] : []),
  };
  const cases: [address: string, exact: string | undefined, fault: string | undefined][] = [
    ['192.0.2.1', undefined, undefined],
    ['192.0.2.1', '192.0.2.1', undefined],
    ['192.0.2.1', '192.0.2.4', 'it gave 192.0.2.1 where only 192.0.2.4 will do'],
    ['2001:db8:2::1', undefined, 'it gave 2001:db8:2::1, which is no IPv4 address'],
    ['192.0.2.9', undefined, 'it gave 192.0.2.9, which is not in the pool'],
    ['192.0.2.2', undefined, 'it gave 192.0.2.2, which shop/b holds'],
    ['192.0.2.3', undefined, 'it gave 192.0.2.3, which it gave to shop/other too'],
  ];
  for (const [address, exact, fault] of cases)
    test(`${address}${exact ? ` where ${exact} was asked for` : ''}: ${fault ?? 'is taken'}`, () => {
      const record = recordOf('web', exact ? { exact: ip(exact) } : {});
      assert.is(claimFault(record, ip(address), claims, holders), fault);
    });
});

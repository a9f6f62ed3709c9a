import * as assert from 'uvu/assert';
import { spec } from '../../../testing/spec.ts';
import type { Membership } from '../../protocols/heartbeat/membership-state.ts';
import type { Peer } from '../../protocols/heartbeat/peer.ts';
import { leaseMsOf } from './lease-time.ts';

const config = { intervalMs: 50, missed: 4 } as Membership['config'];
const peer = (changes: Partial<Peer>): Peer => ({ health: 'Alive', ready: true, leaving: false, ...changes }) as Peer;
const leaseOf = (stretchMs: number, ...peers: readonly Peer[]): number =>
  leaseMsOf({ config, stretchMs, peers: new Map(peers.map((one, n) => [`node-${n}`, one])) });
const leaseWith = (...peers: readonly Peer[]): number => leaseOf(0, ...peers);

spec('how long a node may answer without its clock', (test) => {
  test('is the detection time and an interval where another node could take over', () => {
    assert.is(leaseWith(peer({}), peer({ health: 'Dead' })), 250);
    assert.is(leaseWith(peer({ health: 'Suspect' })), 250);
  });

  test('is as much longer as the peers wait for a speaker that says that it is slow', () => {
    assert.is(leaseOf(25, peer({})), 375);
  });

  test('is 30 s where none could', () => {
    const others = [
      peer({ health: 'Dead' }),
      peer({ ready: false }),
      peer({ leaving: true }),
      peer({ health: 'Unknown' }),
    ];
    assert.is(leaseWith(...others), 30_000);
    assert.is(leaseWith(), 30_000);
  });
});

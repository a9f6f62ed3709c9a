import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { spec } from '../../../testing/spec.ts';
import { afterPage, CLAIMS_PER_PAGE, type PeerClaims, pageFor } from './claims.ts';
import { agreesOnSticky } from './membership-state.ts';
import { SimulatedMesh } from './simulated-mesh.ts';

const ABC = ['a', 'b', 'c'];
const STICKY = { isSticky: true };
const many = (count: number): number[] => Array.from({ length: count }, (_, at) => at);
const claimsOf = (mesh: SimulatedMesh, peer: string, seenBy: string) =>
  mesh.station(seenBy).membership.peers.get(peer)?.claims?.complete;

function running(): SimulatedMesh {
  const mesh = new SimulatedMesh(ABC, 1, STICKY);
  mesh.startAll();
  mesh.run(2_000);
  return mesh;
}

spec('claims', (test) => {
  test('arrive whole, in whatever order their pages come, and however often', () => {
    const ids = fc.uniqueArray(fc.nat(), { maxLength: 400 });
    fc.assert(
      fc.property(ids, fc.array(fc.nat(9), { maxLength: 30 }), (addresses, order) => {
        let known: PeerClaims | undefined;
        const pages = Math.max(1, Math.ceil(addresses.length / CLAIMS_PER_PAGE));
        for (const sequence of [...order, ...many(pages)])
          known = afterPage(known, pageFor({ revision: 1, addresses }, sequence));
        assert.equal(known?.complete?.toSorted(), addresses.toSorted());
      }),
    );
  });
  test('count as they were until all pages of a new set are there', () => {
    const page = (revision: number, sequence: number) => pageFor({ revision, addresses: many(100) }, sequence);
    const first = afterPage(afterPage(undefined, page(1, 0)), page(1, 1));
    assert.is(afterPage(first, page(2, 0)).complete, first.complete);
    assert.equal(afterPage(first, pageFor({ revision: 2, addresses: [] }, 0)).complete, []);
  });
  test('reach everybody within an interval for each page', () => {
    const mesh = running();
    mesh.inject('a', { kind: 'Claims', now: mesh.now, addresses: many(200) });
    mesh.run(410);
    for (const seenBy of ['b', 'c']) assert.equal(claimsOf(mesh, 'a', seenBy)?.length, 200);
  });
  test('are known to a node that returns before it owns anything', () => {
    const mesh = running();
    mesh.kill('c');
    mesh.run(1_000);
    mesh.inject('a', { kind: 'Claims', now: mesh.now, addresses: many(1_000) });
    mesh.start('c');
    while (!mesh.available('c').includes('c')) mesh.run(1);
    assert.equal(claimsOf(mesh, 'a', 'c')?.length, 1_000);
    const published = mesh.station('c').log.filter(({ effect }) => effect.do === 'PublishClaims');
    assert.ok(published.length > 0);
  });
  test('hold only while all who live are set to it', () => {
    const mesh = running();
    const agree = () => ABC.map((name) => agreesOnSticky(mesh.station(name).membership));
    assert.equal(agree(), [true, true, true]);
    mesh.kill('c');
    mesh.run(1_000);
    mesh.start('c', undefined, { isSticky: false });
    mesh.run(2_000);
    assert.equal(agree(), [false, false, false]);
    mesh.kill('c');
    mesh.run(1_000);
    assert.equal(agree().slice(0, 2), [true, true]);
  });
});

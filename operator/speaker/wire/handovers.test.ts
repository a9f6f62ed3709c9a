import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { spec } from '../../../testing/spec.ts';
import { addressIdOf } from '../../protocols/heartbeat/extension.ts';
import { HAND_OVER_MS, Handovers } from './handovers.ts';
import { ManualClock } from './manual-clock.ts';
import type { OwnedOn } from './responder.ts';

const on = (...addresses: string[]): OwnedOn[] => addresses.map((address) => ({ address, interfaces: 'all' as const }));
const yes = (): boolean => true;

function make() {
  const clock = new ManualClock();
  let released = 0;
  const handovers = new Handovers(clock, () => {
    released += 1;
  });
  const held = (): string =>
    handovers
      .held()
      .map(({ address }) => address)
      .join(' ');
  return { clock, handovers, held, releases: () => released };
}

spec('handovers', (test) => {
  test('holds what another node is to answer for until that one says so', () => {
    const { handovers, held, releases } = make();
    handovers.moved(on('1', '2'), on('2'), yes);
    assert.is(held(), '1');
    handovers.taken([addressIdOf('3')]);
    assert.equal([held(), releases()], ['1', 0]);
    handovers.taken([addressIdOf('1')]);
    assert.equal([held(), releases()], ['', 1]);
  });
  test('or until a second is over', () => {
    const { clock, handovers, held, releases } = make();
    handovers.moved(on('1'), on(), yes);
    clock.advance(HAND_OVER_MS - 1);
    assert.is(held(), '1');
    clock.advance(1);
    assert.equal([held(), releases()], ['', 1]);
  });
  test('holds nothing for which nobody is to answer', () => {
    const { handovers, held } = make();
    handovers.moved(on('1', '2'), on(), (address) => address === '2');
    assert.is(held(), '2');
    handovers.moved(on(), on(), () => false);
    assert.is(held(), '', 'the Service was deleted meanwhile');
  });
  test('does not hold what the new owner has said before, and a word from long ago does not count', () => {
    const { clock, handovers, held } = make();
    handovers.taken([addressIdOf('1')]);
    clock.advance(1_000);
    handovers.moved(on('1'), on(), yes);
    assert.is(held(), '');
    clock.advance(1_000);
    handovers.moved(on('1'), on(), yes);
    assert.is(held(), '1');
  });
  test('forgets what this node owns again', () => {
    const { clock, handovers, held, releases } = make();
    handovers.moved(on('1'), on(), yes);
    handovers.moved(on(), on('1'), yes);
    assert.is(held(), '');
    clock.advance(5_000);
    assert.is(releases(), 0);
  });
  test('never holds what is owned, nor anything for longer than a second', () => {
    const address = fc.constantFrom('1', '2', '3');
    const step = fc.record({ owned: fc.uniqueArray(address), taken: fc.uniqueArray(address), pause: fc.nat(700) });
    fc.assert(fc.property(fc.array(step), check));
  });
});

interface Turn {
  readonly owned: readonly string[];
  readonly taken: readonly string[];
  readonly pause: number;
}

function check(turns: readonly Turn[]): void {
  const { clock, handovers } = make();
  const lostAt = new Map<string, number>();
  let before: readonly string[] = [];
  for (const { owned, taken, pause } of turns) {
    for (const lost of before) if (!owned.includes(lost)) lostAt.set(lost, clock.now());
    handovers.moved(on(...before), on(...owned), yes);
    handovers.taken(taken.map(addressIdOf));
    before = owned;
    clock.advance(pause);
    const held = handovers.held().map(({ address }) => address);
    assert.equal(
      held.filter((address) => owned.includes(address) || taken.includes(address)),
      [],
    );
    for (const address of held) assert.ok(clock.now() - (lostAt.get(address) ?? 0) < HAND_OVER_MS);
  }
}

import * as assert from 'uvu/assert';
import { spec } from '../../../testing/spec.ts';
import { Announcer } from './announcer.ts';
import { ManualClock } from './manual-clock.ts';

function make() {
  const clock = new ManualClock();
  const shots: string[] = [];
  const announcer = new Announcer(clock, (address, onInterface) => {
    shots.push(`${clock.now()} ${address}${onInterface ? `%${onInterface}` : ''}`);
  });
  return { clock, shots, announcer };
}

spec('announcer', (test) => {
  test('fires at once, after 50 ms, and every 1.1 s for 5 s', () => {
    const { clock, shots, announcer } = make();
    announcer.announce(['x']);
    assert.equal(shots, ['0 x']);
    clock.advance(60_000);
    assert.equal(shots, ['0 x', '50 x', '1100 x', '2200 x', '3300 x', '4400 x']);
  });
  test('starts anew when told again', () => {
    const { clock, shots, announcer } = make();
    announcer.announce(['x']);
    clock.advance(1000);
    announcer.announce(['x']);
    clock.advance(60_000);
    assert.equal(shots, ['0 x', '50 x', '1000 x', '1050 x', '2100 x', '3200 x', '4300 x', '5400 x']);
  });
  test('keeps bursts on one interface apart from those on all', () => {
    const { clock, shots, announcer } = make();
    announcer.announce(['x']);
    announcer.announce(['x'], 'eth1');
    clock.advance(50);
    assert.equal(shots, ['0 x', '0 x%eth1', '50 x', '50 x%eth1']);
  });
  test('fires the first shots of many in turns of 64, before any second shot', () => {
    const { clock, shots, announcer } = make();
    announcer.announce(Array.from({ length: 200 }, (_, n) => `${n}`));
    assert.is(shots.length, 64);
    assert.ok(announcer.isUrgent);
    clock.advance(0);
    assert.is(shots.length, 200);
    assert.not.ok(announcer.isUrgent);
    clock.advance(49);
    assert.is(shots.length, 200);
  });
  test('paces repeated shots: 64 per 5 ms', () => {
    const { clock, shots, announcer } = make();
    announcer.announce(Array.from({ length: 200 }, (_, n) => `${n}`));
    clock.advance(50);
    assert.is(shots.length, 264);
    clock.advance(5);
    assert.is(shots.length, 328);
    clock.advance(60_000);
    assert.is(shots.length, 1200);
  });
  test('does not let repeated shots of others delay a first shot', () => {
    const { clock, shots, announcer } = make();
    announcer.announce(Array.from({ length: 200 }, (_, n) => `${n}`));
    clock.advance(51);
    announcer.announce(['new']);
    assert.ok(shots.includes('51 new'));
  });
  test('fires nothing after it was closed', () => {
    const { clock, shots, announcer } = make();
    announcer.announce(['x']);
    announcer.close();
    clock.advance(60_000);
    assert.equal(shots, ['0 x']);
  });
});

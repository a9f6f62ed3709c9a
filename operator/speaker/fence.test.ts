import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { FENCED_AFTER_MS, Fence } from './fence.ts';
import type { FromClock, PeerReport } from './messages.ts';
import { ManualClock } from './wire/manual-clock.ts';

class Stage {
  readonly clock = new ManualClock();
  readonly changes: string[] = [];
  /** What the API server does with a write. */
  api: 'takes' | 'refuses' | 'hangs' = 'takes';
  tell: (message: FromClock) => void = () => {};

  constructor() {
    new Fence({
      threads: {
        onClock: (listener) => {
          this.tell = listener;
        },
      },
      clock: this.clock,
      renew: () => this.#renew(),
      onChange: (isFenced) => void this.changes.push(`${isFenced ? 'fenced' : 'free'}@${this.clock.now()}`),
    });
  }

  /** 'b c' are alive, '-c' is lost, '~c' is lost after it left. */
  peers(words: string): void {
    const peers = words.split(' ').map((word): PeerReport => {
      const health = /^[-~]/.test(word) ? 'Dead' : 'Alive';
      const node = word.replace(/^[-~]/, '');
      return { node, address: '', health, ready: true, leaving: word.startsWith('~'), hearsUs: true, slow: false };
    });
    this.tell({ kind: 'Peers', peers, isolated: false, slow: false, algorithmVersion: 1 });
  }

  async pass(milliseconds: number): Promise<void> {
    for (let at = 0; at < milliseconds; at += 100) {
      await new Promise(setImmediate);
      this.clock.advance(100);
    }
    await new Promise(setImmediate);
  }

  #renew(): Promise<void> {
    if (this.api === 'takes') return Promise.resolve();
    if (this.api === 'refuses') return Promise.reject(new Error('no'));
    return new Promise((_, reject) => void this.clock.after(10_000, () => reject(new Error('timeout'))));
  }
}

spec('fence', (test) => {
  for (const api of ['refuses', 'hangs'] as const)
    test(`stops a node that has lost peers while the API server ${api}, and frees it when one is back`, async () => {
      const stage = new Stage();
      stage.peers('b c');
      await stage.pass(1_000);
      stage.api = api;
      stage.peers('b -c');
      await stage.pass(FENCED_AFTER_MS - 100);
      assert.equal(stage.changes, []);
      await stage.pass(1_000);
      assert.equal(stage.changes.length, 1);
      assert.match(stage.changes[0] ?? '', /^fenced@3[0-5]00$/);
      stage.peers('b c');
      assert.match(stage.changes[1] ?? '', /^free/);
      await stage.pass(20_000);
      assert.is(stage.changes.length, 2);
    });
  test('leaves the side with the API server alone', async () => {
    const stage = new Stage();
    stage.peers('b c');
    stage.peers('-b -c');
    await stage.pass(20_000);
    assert.equal(stage.changes, []);
  });
  test('frees a node whose API server is back', async () => {
    const stage = new Stage();
    stage.peers('b c');
    stage.api = 'refuses';
    stage.peers('-b -c');
    await stage.pass(5_000);
    stage.api = 'takes';
    await stage.pass(1_000);
    assert.equal(
      stage.changes.map((change) => change.split('@')[0]),
      ['fenced', 'free'],
    );
  });
  test('does not need the API server while all peers are there, nor for one that left, was removed or never spoke', async () => {
    const stage = new Stage();
    stage.api = 'refuses';
    for (const words of ['b c -d', 'b ~c -d', 'b -d']) {
      stage.peers(words);
      await stage.pass(5_000);
    }
    assert.equal(stage.changes, []);
  });
});

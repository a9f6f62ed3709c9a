/** The contract: how long is answered. A node whose lease has ended is silent, and a restart that was announced loses nothing it need not. */

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { decodeArp } from '../../../protocols/arp/arp.ts';
import type { ResponderChoice } from '../choose-responder.ts';
import { announcement } from '../netns-lab.ts';
import { arpRequest, ipOf } from './frames.ts';
import { eventuallyAnswered, eventuallyIs, onStage, type Stage, type Test, V4, V6 } from './stage.ts';

const MAIN = fileURLToPath(new URL('../../../main.ts', import.meta.url));
/** The nodes' lease is 100 ms, and packet sockets outlast it by 300 ms; the rest is for a busy machine. */
const SILENT_WITHIN_MS = 1_000;
/** Who asks all the time, so that nobody else's answers are counted. */
const ASKER = '192.0.2.2';
/** How long the next process does not know yet what it owns: a cluster must be listed and peers be heard first. */
const UNDECIDED_MS = 300;
const RESTART_LEASE_MS = 5_000;

export function lifetime(test: Test, choice: ResponderChoice): void {
  test('silent when the lease ends, and there again when it is renewed', () =>
    onStage(choice, async (stage) => {
      stage.node.send({ kind: 'Renew', on: false });
      await stage.fallsSilent(SILENT_WITHIN_MS);
      stage.node.send({ kind: 'Renew', on: true });
      await eventuallyAnswered(stage);
    }));

  test('silent when the process is frozen, and there again when it goes on', () =>
    onStage(choice, async (stage) => {
      stage.node.signal('SIGSTOP');
      await stage.fallsSilent(SILENT_WITHIN_MS);
      stage.node.signal('SIGCONT');
      await eventuallyAnswered(stage);
    }));

  test('silent at once when it leaves', () =>
    onStage(choice, async (stage) => {
      stage.node.send({ kind: 'Leave' });
      await stage.node.until('Left');
      assert.equal(await stage.answered(), []);
    }));

  test('silent when it was killed; who comes next answers for nothing that it was not told to', () =>
    onStage(choice, async (stage) => {
      await stage.node.kill();
      await stage.fallsSilent(SILENT_WITHIN_MS);
      await stage.node.start();
      await stage.node.until('Responder');
      assert.match(stage.last('Responder').responder.message, /^((?!went on).)*$/);
      assert.equal(await stage.answered(), []);
      stage.node.desire([announcement(V4, 'a'), announcement(V6, 'a')]);
      assert.equal(await stage.answered(), [], 'nobody is available yet');
      stage.node.available('b');
      assert.equal(await stage.answered(), [], 'another one is');
      stage.node.available('a');
      await eventuallyAnswered(stage);
    }));

  test('a restart that was announced: who comes next goes on with what the kernel answered meanwhile', () =>
    onStage(choice, async (stage) => {
      const probes = askSteadily(stage);
      await restarted(stage);
      await stage.node.until('Responder');
      if (choice !== 'packet') assert.match(stage.last('Responder').responder.message, 'went on with 2 entries');
      await new Promise((resolve) => setTimeout(resolve, UNDECIDED_MS));
      stage.node.desire([announcement(V4, 'a'), announcement(V6, 'a')]);
      stage.node.available('a');
      await eventuallyIs(async () => [...new Set(await stage.answered())].join(), 'ARP,NDP');
      const { sent, answered } = await probes.stop();
      if (choice === 'packet') assert.ok(answered < sent, 'packets are answered by a process');
      else assert.is(answered, sent);
    }));

  test('what the next one does not own any more ends with its first view', () =>
    onStage(choice, async (stage) => {
      await restarted(stage);
      stage.node.desire([announcement(V4, 'b', 'a'), announcement(V6, 'a')]);
      stage.node.available('a', 'b');
      await stage.node.until('Owned', ({ services }: { services: readonly unknown[] }) => services.length === 1);
      await new Promise((resolve) => setTimeout(resolve, 100));
      assert.equal(await stage.answered(), ['NDP']);
    }));

  test('nothing is answered on an interface that the next one may not use', () =>
    onStage(choice, async (stage) => {
      await restarted(stage);
      stage.node.desire([announcement(V4, 'a'), announcement(V6, 'a')], '^eth0$');
      stage.node.available('a');
      await stage.node.until('Owned');
      await stage.fallsSilent(SILENT_WITHIN_MS);
    }));

  if (choice !== 'packet')
    test('`herald cleanup` takes out of the kernel what nobody adopts', () =>
      onStage(choice, async (stage) => {
        stage.node.send({ kind: 'ExtendLease', milliseconds: 60_000 });
        stage.node.send({ kind: 'Restart' });
        await stage.node.until('Left');
        await stage.node.kill();
        assert.equal(await stage.answered(), ['ARP', 'NDP']);
        const said = execFileSync(process.execPath, [MAIN, 'cleanup', stage.node.pinFolder], { encoding: 'utf8' });
        assert.match(said, /^removed 5 pins from /);
        assert.equal(await stage.answered(), []);
        const again = execFileSync(process.execPath, [MAIN, 'cleanup', stage.node.pinFolder], { encoding: 'utf8' });
        assert.match(again, /^nothing is pinned in /);
      }));
}

/** Ends the process as a restart does that was announced, and starts the next one. */
async function restarted({ node }: Stage): Promise<void> {
  node.send({ kind: 'ExtendLease', milliseconds: RESTART_LEASE_MS });
  node.send({ kind: 'Restart' });
  await node.until('Left');
  await node.kill();
  await node.start();
}

/** Asks every 5 ms until it is stopped, and counts. */
function askSteadily(stage: Stage) {
  const ear = stage.segment.listen('Arp');
  let sent = 0;
  const timer = setInterval(() => {
    sent += 1;
    ear.send(arpRequest(V4, { spa: ipOf(ASKER) }));
  }, 5);
  return {
    async stop() {
      clearInterval(timer);
      await new Promise((resolve) => setTimeout(resolve, 100));
      const isReply = (frame: Uint8Array): boolean => {
        const arp = decodeArp(frame.subarray(14));
        return arp?.op === 'Reply' && arp.tpa.value === ipOf(ASKER).value;
      };
      return { sent, answered: ear.heard.filter(isReply).length };
    },
  };
}

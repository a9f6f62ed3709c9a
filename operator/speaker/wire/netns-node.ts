/** A node of the namespace tests: the real wire thread in a process of its own, steered over IPC. */

import { MessageChannel } from 'node:worker_threads';
import { AnswerLease } from '../../host/answer-lease.ts';
import { startThread } from '../../host/thread.ts';
import type { ToWire } from '../messages.ts';
import type { WireThreadData } from '../wire-thread.ts';

/** What the parent gives a node to start with. */
export type LabNodeData = Pick<WireThreadData, 'responder' | 'pinFolder'>;

/** From the parent: what a speaker's other threads would say to the wire, and what the clock thread does with the lease. */
export type ToLabNode =
  | ToWire
  /** Renew the lease every 20 ms, for 100 ms each time; or no longer. */
  | { readonly kind: 'Renew'; readonly on: boolean }
  /** Renew once for so long, as before a restart. */
  | { readonly kind: 'ExtendLease'; readonly milliseconds: number };

const RENEW_EVERY_MS = 20;
const LEASE_MS = 100;

const lease = new AnswerLease();
let isRenewed = true;
const renewal = setInterval(() => isRenewed && lease.renew(LEASE_MS), RENEW_EVERY_MS);

const data = JSON.parse(process.argv[2] ?? '{}') as LabNodeData;
const thread = startThread('wire-thread', { ...data, lease: lease.shared } satisfies WireThreadData);
const clock = new MessageChannel();
thread.postMessage({ kind: 'ClockPort', port: clock.port2 }, [clock.port2]);
thread.on('message', (message: unknown) => process.send?.(message));
thread.on('exit', () => {
  clearInterval(renewal);
  process.disconnect();
});
process.on('message', (message: ToLabNode) => {
  switch (message.kind) {
    case 'Renew':
      isRenewed = message.on;
      break;
    case 'ExtendLease':
      lease.extendForRestart(message.milliseconds);
      break;
    default:
      // as in the speaker: the clock's view takes its own way to the wire
      (message.kind === 'Available' ? clock.port1 : thread).postMessage(message);
  }
});
process.on('disconnect', () => process.exit(0));
process.send?.({ kind: 'Started' });

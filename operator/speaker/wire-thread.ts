/** The wire thread's entry point: packets and nothing else, so that no answer and no takeover waits for the API server's objects. */

import { randomBytes } from 'node:crypto';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { AnswerLease } from '../host/answer-lease.ts';
import { arpIgnore } from '../host/arp-ignore.ts';
import { inKernelSurroundings } from '../host/bpf/open.ts';
import { KernelHost } from '../host/kernel-host.ts';
import type { ClaimsMessage, FromWire, TookMessage, ToWire } from './messages.ts';
import { chooseResponder, type ResponderChoice } from './wire/choose-responder.ts';
import { systemClock } from './wire/clock.ts';
import { Prober } from './wire/prober.ts';
import { Wire } from './wire/wire.ts';

/** What main gives the thread to start with. */
export interface WireThreadData {
  /** Of the AnswerLease that the clock thread renews. */
  readonly lease: SharedArrayBuffer;
  readonly responder: ResponderChoice;
  /** Where the in-kernel responder is pinned, unless at its usual place. */
  readonly pinFolder?: string;
}

/**
 * So much later than the kernel this thread falls silent: it runs itself, so a clock that does not tick may only wait for a
 * busy processor, and silence would be an outage where nobody takes over.
 */
const BUSY_MS = 300;

if (!parentPort) throw new Error('wire-thread.ts is started by startThread(), not by itself');
const main = parentPort;

const host = new KernelHost();
const post = (message: FromWire): void => main.postMessage(message);
const { lease: shared, responder: choice, ...place } = workerData as WireThreadData;
const lease = new AnswerLease(shared);
const { inKernel, report } = chooseResponder(choice, { ...inKernelSurroundings(), ...place });
if (inKernel) lease.mirrorTo(inKernel.leaseMap);
post({ kind: 'Responder', responder: report });
const mayAnswer = (): boolean => !lease.hasEndedFor(BUSY_MS);
let toClock: MessagePort | undefined;
const postToClock = (message: TookMessage | ClaimsMessage): void => toClock?.postMessage(message);
const time = { clock: systemClock, wallClock: Date.now };
const wire = new Wire({ ...time, host, post, postToClock, mayAnswer, inKernel, arpIgnore });
const prober = new Prober({ host, clock: systemClock, random: randomBytes, post });
const stop = (): void => {
  prober.close();
  wire.stop();
  main.close();
};
// the thread must not die with open sockets (operator/host/thread.ts): it says what happened, closes them, and ends
process.on('uncaughtException', (error) => {
  main.postMessage({ kind: 'Fault', reason: 'WireThreadFailed', message: `${error.stack}`, fatal: true });
  stop();
});
const onMessage = (message: ToWire): void => {
  switch (message.kind) {
    case 'Desired':
      wire.desire(message);
      break;
    case 'Available':
      wire.available(message);
      break;
    case 'Taken':
      wire.taken(message);
      break;
    case 'PeerClaims':
      wire.peerClaims(message);
      break;
    case 'Probe':
      prober.desire(message);
      break;
    case 'ClockPort':
      toClock = message.port;
      message.port.on('message', onMessage);
      message.port.unref(); // main's port alone keeps the thread alive
      break;
    case 'Leave':
      prober.close();
      wire.leave();
      break;
    case 'Restart':
      prober.close();
      wire.restart();
      break;
    case 'Stop':
      stop();
      break;
  }
};
main.on('message', onMessage);

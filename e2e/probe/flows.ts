/** One probe as one new flow: a UDP question from a fresh source port, or a TCP connection of its own. */

import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import type { Sample } from './outage.ts';

export interface Target {
  readonly address: string;
  readonly udpPort: number;
  readonly tcpPort: number;
}

/** Milliseconds since the epoch with fractions, on the monotonic clock. */
export const now = (): number => performance.timeOrigin + performance.now();

/** Asks once by UDP; resolves to the sample, answered or not, never rejects. */
export function askByUdp({ address, udpPort }: Target, number: number, timeoutMs: number): Promise<Sample> {
  return new Promise((resolve) => {
    const sentAt = now();
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    let isOver = false;
    const end = (answer?: string): void => {
      if (isOver) return; // the timeout, an error of the socket and one of the send may all come
      isOver = true;
      clearTimeout(timer);
      socket.removeAllListeners().on('error', () => undefined);
      socket.close();
      resolve(sampleOf(number, sentAt, answer));
    };
    const timer = setTimeout(end, timeoutMs);
    socket.once('error', () => end());
    socket.on('message', (message) => end(message.toString()));
    socket.send(String(number), udpPort, address, (error) => error && end());
  });
}

/** Connects, asks one line and closes; resolves to the sample, answered or not, never rejects. */
export function askByTcp({ address, tcpPort }: Target, number: number, timeoutMs: number): Promise<Sample> {
  return new Promise((resolve) => {
    const sentAt = now();
    const socket = connect({ host: address, port: tcpPort, noDelay: true });
    const end = (answer?: string): void => {
      clearTimeout(timer);
      socket.removeAllListeners().on('error', () => undefined);
      socket.destroy();
      resolve(sampleOf(number, sentAt, answer));
    };
    const timer = setTimeout(end, timeoutMs);
    socket.once('error', () => end());
    socket.once('connect', () => socket.write(`${number}\n`));
    socket.once('data', (data) => end(data.toString().trim()));
  });
}

/** An answer to another question than ours is no answer. */
function sampleOf(number: number, sentAt: number, answer: string | undefined): Sample {
  const [echoed, node] = answer?.split(' ') ?? [];
  if (echoed !== String(number) || node === undefined) return { number, sentAt };
  return { number, sentAt, answeredAt: now(), node };
}

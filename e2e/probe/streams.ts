/** TCP connections held through an event: each asks a line every 200 ms, the broken ones are counted. */

import { connect, type Socket } from 'node:net';
import { now, type Target } from './flows.ts';

const ASK_EVERY_MS = 200;
/** A stream that was silent for this long before the end counts as broken although nobody closed it. */
const SILENT_MS = 2_000;

interface Stream {
  readonly socket: Socket;
  isBroken: boolean;
  lastEchoAt: number;
}

export interface StreamCounts {
  readonly held: number;
  readonly broken: number;
}

/** Opens `count` streams; the returned function closes them and counts. */
export function holdStreams({ address, tcpPort }: Target, count: number): () => StreamCounts {
  const streams = Array.from({ length: count }, (): Stream => {
    const socket = connect({ host: address, port: tcpPort, noDelay: true });
    const stream: Stream = { socket, isBroken: false, lastEchoAt: 0 };
    const breaks = (): void => {
      stream.isBroken = true;
    };
    socket.on('error', breaks).on('close', breaks);
    socket.on('data', () => {
      stream.lastEchoAt = now();
    });
    return stream;
  });
  const asking = setInterval(() => {
    for (const { socket } of streams) if (socket.writable) socket.write('held\n');
  }, ASK_EVERY_MS);

  return () => {
    clearInterval(asking);
    const broken = streams.filter((stream) => stream.isBroken || now() - stream.lastEchoAt > SILENT_MS).length;
    for (const { socket } of streams)
      socket
        .removeAllListeners()
        .on('error', () => undefined)
        .destroy();
    return { held: count, broken };
  };
}

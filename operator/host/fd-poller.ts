/** Readiness of any file descriptor as a callback on this thread's event loop. */

import type { HostError } from './host-error.ts';
import { closeDescriptor, type PollHandle, pollReadable, takeSocketError } from './libc.ts';

/** A descriptor being watched. */
export interface Watch {
  /** Stops watching and closes the descriptor; idempotent. */
  close(): void;
}

/** The garbage collector closes a poll handle that nothing references, and the process then ends in silence. */
const watched = new Set<PollHandle>();

/**
 * Calls `onReadable` whenever input waits on `fd`, which it owns from now on.
 *
 * libuv stops a poll on EPOLLERR (link down on a packet socket, overrun on netlink): the socket's error is then
 * taken, handed to `onReadable`, and polling starts again.
 */
export function watch(fd: number, onReadable: (error: HostError | undefined) => void): Watch {
  let isClosed = false;
  const onEvent = (status: number): void => {
    if (isClosed) return;
    const error = status < 0 ? takeSocketError(fd) : undefined;
    try {
      onReadable(error);
    } finally {
      if (status < 0 && !isClosed) handle.start({ readable: true }, onEvent);
    }
  };
  const handle = pollReadable(fd, onEvent);
  watched.add(handle);
  return {
    close() {
      if (isClosed) return;
      isClosed = true;
      watched.delete(handle);
      handle.close();
      setImmediate(() => closeDescriptor(fd)); // libuv still removes it from epoll in this turn of the loop
    },
  };
}

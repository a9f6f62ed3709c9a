/** UDP sockets (RFC 768) for heartbeats: bound to a port, sending to addresses without looking up any name. */

import { createSocket, type Socket } from 'node:dgram';
import { HostError } from './host-error.ts';

/** A second of heartbeats of 250 peers at 100 ms, so that a stalled thread finds them afterwards; the kernel may give less. */
const RECEIVE_BUFFER_OCTETS = 4 * 1024 * 1024;

export interface DatagramSocketOptions {
  readonly family: 4 | 6;
  /** Absent receives on all addresses of the family. */
  readonly address?: string;
  /** 0 lets the kernel choose. */
  readonly port: number;
  /** The octets are the callee's. */
  readonly onDatagram: (datagram: Uint8Array) => void;
  /** A datagram was not sent, or the socket has a pending error; the socket goes on. */
  readonly onError: (error: HostError) => void;
}

export interface DatagramSocket {
  readonly address: string;
  readonly port: number;
  /** `address` is of the socket's family. Errors go to `onError`. */
  send(datagram: Uint8Array, address: string, port: number): void;
  /** Idempotent. */
  close(): void;
}

/**
 * Opens and binds a socket.
 *
 * @throws {HostError} EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT where the kernel has no such family
 */
export function openDatagramSocket(options: DatagramSocketOptions): Promise<DatagramSocket> {
  const { family, address = family === 4 ? '0.0.0.0' : '::', port, onDatagram, onError } = options;
  const socket = createSocket({
    type: family === 4 ? 'udp4' : 'udp6',
    ipv6Only: family === 6,
    lookup: (host, _options, callback) => callback(null, host, family),
  });
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => {
      closeQuietly(socket);
      reject(hostError(`bind(UDP ${address} port ${port})`, error));
    });
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeAllListeners('error');
      socket.on('error', (error) => onError(hostError('recvmsg(UDP)', error)));
      socket.on('message', onDatagram);
      enlargeBuffer(socket);
      resolve(opened(socket, onError));
    });
  });
}

function opened(socket: Socket, onError: (error: HostError) => void): DatagramSocket {
  const bound = socket.address();
  return {
    address: bound.address,
    port: bound.port,
    send(datagram, address, port) {
      socket.send(datagram, port, address, (error) => {
        if (error) onError(hostError(`sendmsg(UDP ${address})`, error));
      });
    },
    close: () => closeQuietly(socket),
  };
}

function enlargeBuffer(socket: Socket): void {
  try {
    socket.setRecvBufferSize(RECEIVE_BUFFER_OCTETS);
  } catch {
    // net.core.rmem_default has to do
  }
}

function closeQuietly(socket: Socket): void {
  try {
    socket.close();
  } catch {
    // it was closed already
  }
}

const hostError = (call: string, error: Error): HostError =>
  new HostError(call, (error as NodeJS.ErrnoException).code ?? error.message);

/** Loads the in-kernel responder, or says why this node must answer through packet sockets. */

import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { missingCapabilities, readProcessStatus } from '../capabilities.ts';
import { HostError } from '../host-error.ts';
import type { InKernelResponder } from '../in-kernel-responder.ts';
import { KernelResponder } from './kernel-responder.ts';
import { decodeObject, ObjectFileError } from './object-file.ts';
import { PIN_FOLDER } from './pins.ts';

/** Why there is no in-kernel responder. */
export interface InKernelRefusal {
  readonly reason:
    | 'ProgramMissing'
    | 'KernelTooOld'
    | 'NoBpfCapability'
    | 'SeccompForbidsBpf'
    | 'InKernelResponderFailed';
  readonly message: string;
}

export interface InKernelSurroundings {
  /** Of the compiled program. */
  readonly programPath: string;
  readonly pinFolder: string;
  /** As uname(2) gives it. */
  readonly kernelRelease: string;
  /** As /proc/self/status. */
  readonly processStatus: string;
}

/** tcx came with Linux 6.6. */
const OLDEST = [6, 6] as const;

/** `../../../build/bpf/` of the sources (image/bpf-program.ts writes it), beside the entry points of the bundle. */
const programPath = (importedFrom: string): string =>
  new URL(importedFrom.endsWith('.ts') ? '../../../build/bpf/responder.bpf.o' : './responder.bpf.o', importedFrom)
    .pathname;

/** This machine, and the program where it lies beside this file. */
export const inKernelSurroundings = (): InKernelSurroundings => ({
  programPath: programPath(import.meta.url),
  pinFolder: PIN_FOLDER,
  kernelRelease: release(),
  processStatus: readProcessStatus(),
});

/** Attached to no interface yet. Never throws for what a person can change: that is a refusal. */
export function openInKernelResponder(around: InKernelSurroundings): InKernelResponder | InKernelRefusal {
  const refusal = refusalOf(around);
  if (refusal) return refusal;
  try {
    return new KernelResponder(decodeObject(readFileSync(around.programPath)), around.pinFolder);
  } catch (error) {
    return explained(error);
  }
}

export const isRefusal = (opened: InKernelResponder | InKernelRefusal): opened is InKernelRefusal => 'reason' in opened;

function refusalOf({ kernelRelease, processStatus }: InKernelSurroundings): InKernelRefusal | undefined {
  const [major = 0, minor = 0] = kernelRelease.split('.').map(Number.parseFloat);
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    const message = `the kernel is ${kernelRelease}: programs on the ingress of interfaces (tcx) need Linux ${OLDEST.join('.')}`;
    return { reason: 'KernelTooOld', message };
  }
  // the kernel takes SYS_ADMIN for BPF, so that older runtimes can give it
  const lacks = (name: 'BPF' | 'SYS_ADMIN' | 'NET_ADMIN'): boolean =>
    missingCapabilities([name], processStatus).length > 0;
  const missing = lacks('BPF') && lacks('SYS_ADMIN') ? 'BPF' : lacks('NET_ADMIN') ? 'NET_ADMIN' : undefined;
  if (missing === undefined) return undefined;
  const message = `the capability ${missing} is missing: add it to securityContext.capabilities.add of the container, where the runtime can give it`;
  return { reason: 'NoBpfCapability', message };
}

function explained(error: unknown): InKernelRefusal {
  if (error instanceof HostError && ['EPERM', 'ENOSYS'].includes(error.code)) {
    const message = `${error.call}: ${error.code} in spite of the capability BPF: the seccomp profile of the pod forbids bpf(2)`;
    return { reason: 'SeccompForbidsBpf', message };
  }
  if (error instanceof HostError) return { reason: 'InKernelResponderFailed', message: `${error.call}: ${error.code}` };
  if (error instanceof ObjectFileError)
    return { reason: 'InKernelResponderFailed', message: `the program's file: ${error.message}` };
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  const message = 'this build holds no program for the kernel: no compiler for BPF was there when it was made';
  return { reason: 'ProgramMissing', message };
}

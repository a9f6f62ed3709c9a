/** Who answers ARP and Neighbor Solicitations on this node: the program in the kernel where it may, packet sockets elsewhere. */

import type { ReportResponder } from '../../../crds/node-announcement.ts';
import {
  type InKernelRefusal,
  type InKernelSurroundings,
  isRefusal,
  openInKernelResponder,
} from '../../host/bpf/open.ts';
import { removePins } from '../../host/bpf/pins.ts';
import type { InKernelResponder } from '../../host/in-kernel-responder.ts';

/** `auto` and `kernel` fall back to packet sockets and say why; `packet` asks the kernel for nothing. */
export type ResponderChoice = 'auto' | 'kernel' | 'packet';

export interface ChosenResponder {
  readonly inKernel: InKernelResponder | undefined;
  readonly report: ReportResponder;
}

/** Loads the program where that is asked for and possible; what a former process left pinned is adopted or removed. */
export function chooseResponder(choice: ResponderChoice, around: InKernelSurroundings): ChosenResponder {
  if (choice !== 'packet') {
    const opened = openInKernelResponder(around);
    return isRefusal(opened) ? throughPackets(opened, around) : inKernel(opened);
  }
  return throughPackets({ reason: 'AsConfigured', message: '--l2-responder=packet' }, around);
}

function throughPackets(
  why: InKernelRefusal | { readonly reason: 'AsConfigured'; readonly message: string },
  { pinFolder }: InKernelSurroundings,
): ChosenResponder {
  removePins(pinFolder);
  return { inKernel: undefined, report: { kind: 'Packet', ...why } };
}

function inKernel(responder: InKernelResponder): ChosenResponder {
  const { isPinned, adopted } = responder;
  const found = adopted > 0 ? `, and went on with ${adopted} entries of the process before` : '';
  return {
    inKernel: responder,
    report: isPinned
      ? { kind: 'Kernel', reason: 'ProgramLoaded', message: `the program is loaded and pinned${found}` }
      : {
          kind: 'Kernel',
          reason: 'ProgramNotPinned',
          message: 'the program is loaded, but ends with the process: there is no bpffs at /sys/fs/bpf',
        },
  };
}

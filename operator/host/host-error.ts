/** What the kernel refused, as an error that names the call, the errno and what would help. */

/** Errno names whose cause a person can remove. */
const REMEDIES: Readonly<Record<string, string>> = {
  EPERM: 'the process lacks a capability: see securityContext.capabilities.add of the container (NET_RAW for packets)',
  EACCES: 'the process lacks a capability: see securityContext.capabilities.add of the container (NET_RAW for packets)',
  EMFILE: 'the process has too many open files: raise its limit (RLIMIT_NOFILE)',
  ENOBUFS: 'a kernel buffer is full: the next attempt may succeed',
  ENODEV: 'the network interface is gone',
  ENETDOWN: 'the network interface is down',
  EAFNOSUPPORT: 'the kernel was built or booted without this address family',
  ENOMEM: 'the kernel refused memory for the socket (net.core.optmem_max)',
};

/** A system call that failed. Code matches on `code`, never on the text. */
export class HostError extends Error {
  override readonly name = 'HostError';
  /** errno by name, for instance 'EPERM'. */
  readonly code: string;
  /** The call and its subject, for instance 'socket(AF_PACKET)'. */
  readonly call: string;
  /** What a person can do about it, when that is known. */
  readonly remedy: string | undefined;

  constructor(call: string, code: string) {
    const remedy = REMEDIES[code];
    super(remedy === undefined ? `${call}: ${code}` : `${call}: ${code}, ${remedy}`);
    this.call = call;
    this.code = code;
    this.remedy = remedy;
  }
}

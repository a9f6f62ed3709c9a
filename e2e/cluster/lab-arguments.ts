/** What a person may say to `lab`, parsed into one command or a sentence that says what is wrong. */
import { Problem } from './problem.ts';

/** The verbs that take a node and nothing else. */
export const NODE_VERBS = ['cut', 'unplug', 'heal', 'pause', 'resume', 'kill', 'start'] as const;
/** A verb that takes a node and nothing else. */
export type NodeVerb = (typeof NODE_VERBS)[number];
/** Which way a one-way link loses its frames, as seen from the node. */
export type Direction = 'in' | 'out';
/** A role whose process can be crashed. */
export type CrashRole = 'operator' | 'speaker';

/** One command of the lab. */
export type LabCommand =
  | { readonly verb: 'exec'; readonly host: string; readonly argv: readonly string[] }
  | { readonly verb: 'load'; readonly image: string }
  | { readonly verb: NodeVerb; readonly node: string }
  | { readonly verb: 'oneway'; readonly node: string; readonly direction: Direction }
  | { readonly verb: 'loss'; readonly node: string; readonly percent: number }
  | { readonly verb: 'crash'; readonly node: string; readonly role: CrashRole; readonly stay: boolean }
  | { readonly verb: 'addresses' | 'status' | 'help' };

/** The text of `lab help`. */
export const USAGE = `usage: lab COMMAND
  exec HOST -- CMD...        run CMD on client, router, a node, or host (where kubectl reaches the cluster)
  load IMAGE|ARCHIVE.tar     put an image on every node
  cut NODE                   the host end of its link leaves the bridge: silence, carrier stays
  unplug NODE                the host end of its link goes down: carrier lost
  oneway NODE in|out         frames to (in) or from (out) the node are dropped
  loss NODE PERCENT          so many of 100 frames are dropped in each direction
  pause NODE, resume NODE    freeze and thaw its processes; its kernel goes on
  crash NODE ROLE [--stay]   SIGKILL to the container of role operator or speaker; --stay stops the kubelet first
  kill NODE, start NODE      the whole node dies, and comes back with its addresses
  heal NODE                  undo every fault; returns when the node is Ready and both families answer
  addresses                  free ranges of the network as JSON
  status                     nodes, hosts and faults in force as JSON`;

/**
 * Parses the words after `lab`.
 * @throws Problem on anything else than one command
 */
export function parseLabArguments(words: readonly string[]): LabCommand {
  const [verb = 'help', ...rest] = words;
  if (verb === 'exec') return parseExec(rest);
  if (verb === 'crash') return parseCrash(rest);
  if (verb === 'help' || verb === '--help' || verb === '-h') return { verb: 'help' };
  if (isNodeVerb(verb)) return { verb, node: only(rest, `lab ${verb} NODE`) };
  switch (verb) {
    case 'load':
      return { verb, image: only(rest, 'lab load IMAGE|ARCHIVE.tar') };
    case 'oneway':
      return parseOneway(rest);
    case 'loss':
      return parseLoss(rest);
    case 'addresses':
    case 'status':
      if (rest.length > 0) throw misuse(`lab ${verb}`);
      return { verb };
    default:
      throw new Problem('Misuse', `lab has no command ${verb}.\n${USAGE}`);
  }
}

function parseExec(rest: readonly string[]): LabCommand {
  const [host, separator, ...argv] = rest;
  if (host === undefined || separator !== '--' || argv.length === 0) throw misuse('lab exec HOST -- CMD...');
  return { verb: 'exec', host, argv };
}

function parseCrash(rest: readonly string[]): LabCommand {
  const stay = rest.includes('--stay');
  const [node, role, ...more] = rest.filter((word) => word !== '--stay');
  if (node === undefined || (role !== 'operator' && role !== 'speaker') || more.length > 0) {
    throw misuse('lab crash NODE operator|speaker [--stay]');
  }
  return { verb: 'crash', node, role, stay };
}

function parseOneway(rest: readonly string[]): LabCommand {
  const [node, direction, ...more] = rest;
  if (node === undefined || (direction !== 'in' && direction !== 'out') || more.length > 0) {
    throw misuse('lab oneway NODE in|out');
  }
  return { verb: 'oneway', node, direction };
}

function parseLoss(rest: readonly string[]): LabCommand {
  const [node, text = '', ...more] = rest;
  const percent = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
  if (node === undefined || !(percent >= 0 && percent <= 100) || more.length > 0) {
    throw misuse('lab loss NODE PERCENT, a whole number from 0 to 100');
  }
  return { verb: 'loss', node, percent };
}

function only(rest: readonly string[], usage: string): string {
  const [word, ...more] = rest;
  if (word === undefined || more.length > 0) throw misuse(usage);
  return word;
}

function isNodeVerb(verb: string): verb is NodeVerb {
  return (NODE_VERBS as readonly string[]).includes(verb);
}

function misuse(usage: string): Problem {
  return new Problem('Misuse', `usage: ${usage}`);
}

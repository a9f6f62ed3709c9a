/** A BGP peer as MetalLB had it before v1beta2, in its ConfigMap or as BGPPeer v1beta1. */

import { present } from './converted.ts';
import { isDuration, isZeroDuration } from './duration.ts';
import type { Fields } from './fields.ts';
import { noteUnread } from './pools.ts';
import { type Words, wordsOfKinds } from './words.ts';

const LARGEST_PORT = 16_384;
export const PASSWORD_IN_CLEAR =
  'stands here in clear: move it into a Secret of type kubernetes.io/basic-auth with the key password, and name that in passwordSecret';
/** Fields of v1beta2 that v1beta1 does not have: an API server dropped them from such a manifest. */
const NEWER_FIELDS = [
  'vrf',
  'interface',
  'dynamicASN',
  'localASN',
  'connectTime',
  'enableGracefulRestart',
  'disableMP',
  'dualStackAddressFamily',
] as const;

/** Reads a peer and returns the spec of its BGPPeer v1beta2. */
export function peerSpecOf(peer: Fields, words: Words): Record<string, unknown> {
  const myASN = peer.requiredNumber(words.myASN);
  const peerASN = peer.requiredNumber(words.peerASN);
  const spec = present({
    myASN,
    peerASN,
    peerAddress: peer.requiredText(words.peerAddress),
    sourceAddress: peer.text(words.sourceAddress),
    // 0 is how Go writes a port that was not given.
    peerPort: peer.number(words.peerPort, LARGEST_PORT) || undefined,
    holdTime: timerOf(peer, words.holdTime, words),
    keepaliveTime: timerOf(peer, words.keepaliveTime, words),
    routerID: peer.text(words.routerID),
    nodeSelectors: peer.mappings(words.nodeSelectors).map((selector) => selectorOf(selector, words)),
    password: passwordOf(peer),
    passwordSecret: secretOf(peer, words),
    bfdProfile: peer.text(words.bfdProfile),
    ebgpMultiHop: multiHopOf(peer, words, myASN === peerASN),
  });
  if (words === wordsOfKinds) noteNewer(peer);
  noteUnread(peer);
  return spec;
}

/** In v1beta1 no time and 0s are one: MetalLB took 90 seconds for both, and wrote 0s where nothing was given. */
function timerOf(peer: Fields, key: string, words: Words): string | undefined {
  const text = peer.text(key);
  if (text === undefined) return undefined;
  if (!isDuration(text)) return peer.error(key, `must be a duration such as 90s, not ${text}`);
  if (!isZeroDuration(text)) return text;
  if (words !== wordsOfKinds) return '0s';
  peer.note(key, `is ${text}, which meant "not given" in v1beta1 and means "never" in v1beta2: it is left out`);
  return undefined;
}

/** MetalLB 0.12 had no Secret for it; the word stays where it was, and is not repeated anywhere else. */
function passwordOf(peer: Fields): string | undefined {
  const password = peer.text('password');
  if (password !== undefined) peer.note('password', PASSWORD_IN_CLEAR);
  return password;
}

function secretOf(peer: Fields, words: Words): Record<string, unknown> | undefined {
  if (words !== wordsOfKinds) return undefined;
  const secret = peer.mapping('passwordSecret');
  if (!secret) return undefined;
  peer.note(
    'passwordSecret',
    'had no effect in v1beta1 and takes effect in v1beta2: the router must have the password',
  );
  const reference = present({ name: secret.text('name'), namespace: secret.text('namespace') });
  noteUnread(secret);
  return reference;
}

function multiHopOf(peer: Fields, words: Words, isInternal: boolean): true | undefined {
  if (!peer.boolean(words.ebgpMultiHop)) return undefined;
  if (!isInternal) return true;
  peer.note(words.ebgpMultiHop, 'is for peers of another AS alone, and this one is of the same: it is left out');
  return undefined;
}

function noteNewer(peer: Fields): void {
  for (const key of NEWER_FIELDS)
    if (peer.has(key)) peer.note(key, 'is no field of v1beta1: it had no effect, and is left out; v1beta2 has it');
}

/** `metav1.LabelSelector` of a selector of either spelling. */
function selectorOf(selector: Fields, words: Words): Record<string, unknown> {
  const expressions = selector.mappings(words.matchExpressions).map((expression) => {
    const operator = expression.requiredText('operator');
    const values = expression.texts('values');
    const takesNone = operator === 'Exists' || operator === 'DoesNotExist';
    // v1beta1 demanded at least one value even here, where v1beta2 takes none.
    if (takesNone && values?.some(Boolean)) expression.note('values', `are left out: ${operator} takes none`);
    const requirement = present({ key: expression.requiredText('key'), operator, values: takesNone ? [] : values });
    noteUnread(expression);
    return requirement;
  });
  const spec = present({ matchLabels: selector.textByName(words.matchLabels), matchExpressions: expressions });
  noteUnread(selector);
  return spec;
}

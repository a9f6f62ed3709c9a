/** The Secret that holds the password of a peer: where it is looked for, and what is wrong with it. Never the password. */

import type { BgpPeer } from '../../crds/bgp-peer.ts';
import type { MissingRef } from './refs.ts';
import type { Scope } from './scope.ts';
import type { SecretFact, Surroundings } from './surroundings.ts';

/** What Linux takes for TCP MD5 (RFC 2385): TCP_MD5SIG_MAXKEYLEN. */
export const MAX_PASSWORD_OCTETS = 80;

/** Where a Secret is. */
export interface SecretName {
  readonly namespace: string;
  readonly name: string;
}

/** The Secret that a peer names, or undefined; without a namespace it is beside the peer. */
function secretOf({ metadata, spec: { passwordSecret } }: BgpPeer): SecretName | undefined {
  if (!passwordSecret?.name) return undefined;
  return { namespace: passwordSecret.namespace || (metadata.namespace ?? ''), name: passwordSecret.name };
}

/** Secrets are read only where configuration is: a peer opens no door to those of other namespaces. */
const isReadable = ({ namespace }: SecretName, { ownNamespace, configNamespaces }: Scope): boolean =>
  namespace === ownNamespace || configNamespaces.includes(namespace);

/** Every Secret that the peers name and that may be looked at, once each. */
export function secretsNamedBy(peers: readonly BgpPeer[], scope: Scope): readonly SecretName[] {
  const named = new Map<string, SecretName>();
  for (const peer of peers) {
    const secret = secretOf(peer);
    const isCounting = isReadable({ namespace: peer.metadata.namespace ?? '', name: '' }, scope);
    if (secret && isCounting && isReadable(secret, scope)) named.set(keyOf(secret), secret);
  }
  return [...named.values()];
}

/** Why the password of a peer cannot be used: without it the session stays down, and is never tried with another. */
export function passwordRefs(
  peer: BgpPeer,
  { surroundings: { secrets }, ...scope }: Scope & { readonly surroundings: Surroundings },
): readonly MissingRef[] {
  const secret = secretOf(peer);
  if (!secret) return [];
  const name = keyOf(secret);
  if (!isReadable(secret, scope)) {
    const where = [...new Set([scope.ownNamespace, ...scope.configNamespaces])].join(', ');
    const message = `spec.passwordSecret is ${name}, and Secrets are read only in ${where}: the session stays down.`;
    return [{ reason: 'SecretNotFound', message }];
  }
  if (!secrets) return [];
  return PROBLEMS[secrets.get(name) ?? 'Missing'](name);
}

const problem =
  (reason: MissingRef['reason'], sentence: (name: string) => string) =>
  (name: string): readonly MissingRef[] => [
    { reason, message: `${sentence(`Secret ${name}`)}: the session stays down until then.` },
  ];

const PROBLEMS: Readonly<Record<SecretFact, (name: string) => readonly MissingRef[]>> = {
  Usable: () => [],
  Missing: problem('SecretNotFound', (secret) => `There is no ${secret}; create it`),
  Unreadable: problem(
    'SecretUnreadable',
    (secret) => `Herald may not read ${secret}; let the ServiceAccount herald-operator get Secrets there`,
  ),
  WrongType: problem('SecretInvalid', (secret) => `${secret} must be of type kubernetes.io/basic-auth`),
  NoPassword: problem('SecretInvalid', (secret) => `${secret} has no key password, or it is empty; fill it`),
  PasswordTooLong: problem(
    'SecretInvalid',
    (secret) => `The password in ${secret} has more than ${MAX_PASSWORD_OCTETS} octets, which TCP MD5 does not take`,
  ),
};

const keyOf = ({ namespace, name }: SecretName): string => `${namespace}/${name}`;

/**
 * CEL rules that several kinds use. `ip` and `isIP` are Kubernetes' own (1.31 and newer); they take no address that
 * is IPv4 written as IPv6 (::ffff:192.0.2.1), which MetalLB takes, so such a text passes here and is judged later.
 */
import type { ValidationRule } from './structural.ts';

/** How long a string may be where a rule reads it: the API server bounds a rule's cost by the longest input. */
export const MAX_STRING = 128;
/** How long a list may be where a rule reads its entries. */
export const MAX_LIST = 1024;

const mapped = (text: string) => `${text}.matches('^(?i)[0:]*:ffff:[0-9a-f.:]+$')`;

/** A CEL expression: `text` is an IP address. */
export const isAddress = (text: string) => `(isIP(${text}) || ${mapped(text)})`;

/** A CEL expression: `text` is an IPv4 address. */
export const isIpv4 = (text: string) => `(isIP(${text}) && ip(${text}).family() == 4)`;

/** A CEL expression: `text` is a duration as Go writes it. */
const isDuration = (text: string) =>
  `${text}.matches('^[-+]?(0|(([0-9]+([.][0-9]*)?|[.][0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$')`;

/** The rule of an optional address, empty or an IP address. */
export const addressRule = (field: string): ValidationRule => ({
  rule: `self == '' || ${isAddress('self')}`,
  message: `${field} must be an IP address`,
});

/** The rule of a text that must be a duration. */
export const durationRule = (field: string): ValidationRule => ({
  rule: isDuration('self'),
  message: `${field} must be a duration like 90s or 1m30s`,
});

/** A CEL expression that also holds where one of `texts` is no duration, so that only `durationRule` complains. */
export const ifDurations = (texts: readonly string[], expression: string) =>
  `(${[...texts.map((text) => `!${isDuration(text)}`), `(${expression})`].join(' || ')})`;

/** The CEL rules for one entry of `spec.addresses`: a CIDR, or first-last of one family. */
import { isAddress, isIpv4 } from './cel.ts';
import type { ValidationRule } from './structural.ts';

const IS_RANGE = `self.contains('-')`;
const first = `self.split('-', 2)[0].trim()`;
const last = `self.split('-', 2)[1].trim()`;
const bothIpv4 = `(${isIpv4(first)} && ${isIpv4(last)})`;

/** The entry split at the slash; the length of the prefix may have leading zeros, as Go reads it. */
const parts = `self.trim().split('/')`;
const prefixLength = `${parts}[1]`;
const bits = `(${parts}[0].contains(':') ? 128 : 32)`;

const IS_PREFIX = [
  `(${parts}.size() == 2 && ${isAddress(`${parts}[0]`)}`,
  `${prefixLength}.matches('^0*[0-9]{1,3}$') && int(${prefixLength}) <= ${bits})`,
].join(' && ');

/** IPv4 as one number, because CEL cannot order addresses. */
const asNumber = (text: string) =>
  `[${text}.split('.')].map(o, int(o[0]) * 16777216 + int(o[1]) * 65536 + int(o[2]) * 256 + int(o[3]))[0]`;

/** A rule whose sentence begins with the entry itself: the API server shows no more of it than its place. */
const entryRule = (rule: string, sentence: string): ValidationRule => ({
  rule,
  message: `an address entry ${sentence}`,
  messageExpression: `'address entry "' + self + '" ${sentence}'`,
});

/** The end of the list of rules: what holds of a range. */
const rangeRules: readonly ValidationRule[] = [
  entryRule(
    `!${IS_RANGE} || (${isAddress(first)} && ${isAddress(last)})`,
    'must have an IP address at both ends of the range, as in 192.0.2.10-192.0.2.20',
  ),
  entryRule(
    `!${IS_RANGE} || !isIP(${first}) || !isIP(${last}) || ip(${first}).family() == ip(${last}).family()`,
    'must not mix IPv4 and IPv6 in one range',
  ),
  entryRule(
    `!${IS_RANGE} || !${bothIpv4} || ${asNumber(first)} <= ${asNumber(last)}`,
    'must ascend: the first address of a range must not be above its last',
  ),
];

/** In this order: what comes later holds of itself where an earlier rule already complains. */
export const addressEntryRules: readonly ValidationRule[] = [
  entryRule(`${IS_RANGE} || ${IS_PREFIX}`, 'must be a CIDR like 192.0.2.0/24 or a range like 192.0.2.10-192.0.2.20'),
  ...rangeRules,
];

/** The same where a single address will do too. */
export const addressOrRangeRules: readonly ValidationRule[] = [
  entryRule(
    `${IS_RANGE} || ${isAddress('self.trim()')} || ${IS_PREFIX}`,
    'must be an address, a CIDR like 192.0.2.0/24 or a range like 192.0.2.10-192.0.2.20',
  ),
  ...rangeRules,
];

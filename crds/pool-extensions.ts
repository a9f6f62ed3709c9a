/** What a pool may say beyond MetalLB's fields: all optional, so that going back to MetalLB prunes them and works. */
import * as z from 'zod';
import { addressOrRangeRules } from './address-entry.ts';
import { durationRule, ifDurations, MAX_STRING } from './cel.ts';
import { kubernetes, type ValidationRule } from './structural.ts';

/** How many entries `exclude` may have: each is checked by rules, whose cost the API server bounds. */
const MAX_EXCLUDE = 256;
const MAX_URL = 512;

/** How the next address of a pool is chosen among the free ones. */
export const SPREADS = ['none', 'random', 'leastRecentlyUsed', 'hash'] as const;

/** The rules of a text that must be a duration within bounds; only one of them complains at a time. */
const boundedDuration = (field: string, bounds: string, sentence: string): readonly ValidationRule[] => [
  durationRule(field),
  { rule: ifDurations(['self'], bounds), message: `${field} must be ${sentence}` },
];

const httpSource = z.object({
  url: z
    .string()
    .max(MAX_URL)
    .describe('The address of the service that gives addresses; docs/address-sources.md describes its protocol.')
    .register(kubernetes, {
      rules: [
        {
          rule: "self.matches('^https?://[^/?#@ ]+(/[^?#@ ]*)?$')",
          message: 'url must be like https://ipam.example.com/v1, without user, password, query and fragment',
        },
      ],
    }),
  secretRef: z
    .object({
      name: z
        .string()
        .min(1)
        .max(253)
        .describe('The name of a Secret in the namespace of the pool, with the key `token`, and `ca.crt` if need be.'),
    })
    .optional()
    .describe('Where the token is that the service asks for.'),
  timeout: z
    .string()
    .max(MAX_STRING)
    .optional()
    .describe('How long one request may take; 5s if not given.')
    .register(kubernetes, {
      rules: boundedDuration(
        'timeout',
        "duration(self) >= duration('100ms') && duration(self) <= duration('60s')",
        'from 100ms to 60s',
      ),
    }),
});

/** Where the addresses of a pool are claimed from, before they are given to Services. */
const addressSource = z.object({
  http: httpSource
    .optional()
    .describe('A service that speaks the small JSON protocol of docs/address-sources.md, such as a bridge to an IPAM.'),
});

export const poolExtensions = {
  exclude: z
    .array(
      z
        .string()
        .max(MAX_STRING)
        .describe('An address, a CIDR or a range.')
        .register(kubernetes, { rules: addressOrRangeRules }),
    )
    .max(MAX_EXCLUDE)
    .optional()
    .describe('Addresses, CIDRs or ranges that are taken out of spec.addresses.')
    .register(kubernetes, { list: { type: 'atomic' } }),
  drain: z.boolean().optional().describe('Whether the pool keeps what it has given and gives nothing new.'),
  coolDown: z
    .string()
    .max(MAX_STRING)
    .optional()
    .describe('How long a freed address rests before another Service may have it, such as 30s; none if not given.')
    .register(kubernetes, {
      rules: boundedDuration(
        'coolDown',
        "duration(self) >= duration('0s') && duration(self) <= duration('24h')",
        'from 0s to 24h',
      ),
    }),
  spreadBy: z
    .enum(SPREADS)
    .optional()
    .describe(
      'How a free address is chosen: none takes the lowest, random and hash one that follows from the uid or the name ' +
        'of the Service, leastRecentlyUsed the one that was freed longest ago. none if not given.',
    ),
  shareAcrossNamespaces: z
    .boolean()
    .optional()
    .describe('Whether a sharing key (metallb.io/allow-shared-ip) also joins Services of different namespaces.'),
  duplicateAddressDetection: z
    .boolean()
    .optional()
    .describe(
      'Whether a speaker asks the network for an address before its first use (RFC 5227, RFC 4862): up to 5 s more.',
    ),
  externalIPs: z
    .boolean()
    .optional()
    .describe(
      'Whether addresses of the pool in spec.externalIPs of Services are announced, for namespaces that serviceAllocation ' +
        'names or selects: a pool for everybody selects none.',
    ),
  source: addressSource
    .optional()
    .describe('Who is asked for each address; spec.addresses then says which answers are taken.')
    .register(kubernetes, {
      rules: [{ rule: 'has(self.http)', message: 'source must say which kind it is: http' }],
    }),
};

/** The names of the fields, in one order. */
export const POOL_EXTENSIONS = Object.keys(poolExtensions) as readonly (keyof typeof poolExtensions)[];

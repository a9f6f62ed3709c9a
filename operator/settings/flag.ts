/** What a setting is: a flag, perhaps an environment variable, a schema that says what is wrong, and its documentation. */

import * as z from 'zod';

/** One setting; every value arrives as text, from a flag first, else from the environment, else from `default`. */
export interface Flag<T = unknown> {
  /** Reads the text; its messages complete the sentence "--port=x ...". */
  readonly schema: z.ZodType<T, string>;
  /** The environment variable that sets the same. */
  readonly env?: string;
  /** What stands for the value in `--help`, empty for a switch, which needs none. */
  readonly placeholder: string;
  /** The text that is read when nothing is given; absent means that the setting is required. */
  readonly default?: string;
  /** What the default is called when its text would not say it. */
  readonly defaultInWords?: string;
  readonly help: string;
  /** What to do when a required setting is missing. */
  readonly remedy?: string;
}

export type FlagTable = Readonly<Record<string, Flag>>;
/** The values that a table of flags gives, by the name of the flag. */
export type ValuesOf<Table extends FlagTable> = {
  readonly [Name in keyof Table]: z.output<Table[Name]['schema']>;
};

/** A whole number between two limits, both allowed. */
export const wholeNumber = (min: number, max: number): z.ZodType<number, string> =>
  z
    .string()
    .refine((text) => /^\d{1,15}$/.test(text) && Number(text) >= min && Number(text) <= max, {
      error: `must be a whole number from ${min} to ${max}`,
    })
    .transform(Number);

/** As `schema`, or undefined for the empty text: then another setting decides. */
export const emptyOr = <T>(schema: z.ZodType<T, string>): z.ZodType<T | undefined, string> =>
  z.string().transform((text, context) => {
    if (text === '') return undefined;
    const read = schema.safeParse(text);
    if (read.success) return read.data;
    for (const { message } of read.error.issues) context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

/** A URL of plain HTTP; empty is allowed where it switches something off. */
export const httpUrl: z.ZodType<string, string> = z
  .string()
  .refine((text) => text === '' || (URL.canParse(text) && new URL(text).protocol === 'http:'), {
    error: 'must be a URL that begins with http://',
  });

/** `true` or `false`; a flag without a value is `true`. */
export const yesOrNo: z.ZodType<boolean, string> = z
  .string()
  .refine((text) => /^(true|false)$/.test(text), { error: 'must be true or false' })
  .transform((text) => text === 'true');

/** One of a few words. */
export const oneOf = <const Words extends readonly [string, ...string[]]>(
  words: Words,
): z.ZodType<Words[number], string> =>
  z
    .string()
    .refine((text): text is Words[number] => words.includes(text), { error: `must be one of ${words.join(', ')}` });

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const isDnsLabel = (text: string): boolean => DNS_LABEL.test(text);

/** The name of a namespace (RFC 1123 label); empty is allowed where a default stands behind it. */
export const namespaceName: z.ZodType<string, string> = z.string().refine((text) => text === '' || isDnsLabel(text), {
  error: 'must be the name of a namespace: lower-case letters, digits and hyphens, at most 63',
});

/** Names of namespaces, separated by commas. */
export const namespaceNames: z.ZodType<string[], string> = z
  .string()
  .transform((text) =>
    text
      .split(',')
      .map((name) => name.trim())
      .filter(Boolean),
  )
  .refine((names) => names.every(isDnsLabel), {
    error: 'must be names of namespaces separated by commas, such as herald-system,metallb-system',
  });

/** A regular expression of JavaScript. */
export const regularExpression: z.ZodType<string, string> = z.string().superRefine((text, context) => {
  try {
    new RegExp(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: `must be a regular expression: ${(error as Error).message}` });
  }
});

/** An IPv4 or IPv6 address without a zone; empty is allowed where a default stands behind it. */
export const ipAddress: z.ZodType<string, string> = z
  .string()
  .refine((text) => text === '' || z.union([z.ipv4(), z.ipv6()]).safeParse(text).success, {
    error: 'must be an IPv4 or IPv6 address',
  });

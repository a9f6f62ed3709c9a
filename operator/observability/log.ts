/** Structured logs: one JSON object per line on standard error, with a constant message, fields, and never a secret. */

export interface Logger {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
  /** A logger that adds `fields` to each of its lines. */
  child(fields: Record<string, unknown>): Logger;
}

/** MetalLB's words for `--log-level`; `all` is the same as `debug`. */
export const LOG_LEVELS = ['all', 'debug', 'info', 'warn', 'error', 'none'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const RANK: Record<LogLevel, number> = { all: 0, debug: 1, info: 2, warn: 3, error: 4, none: 5 };

/** Names of fields whose value is never written. A bare `key` is the key of an object, `namespace/name`, and stays. */
const SECRET_NAME =
  /(^|[-_])(authorization|cookie|stringdata)$|(token|password|passphrase|credentials?|secret|(secret|member|private|session)[-_]?key)$/i;
/** Secrets that hide inside a longer text: bearer tokens, JSON web tokens, private keys. */
const SECRET_TEXT =
  /\bBearer\s+[^\s"']+|\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g;
const REDACTED = '[redacted]';
/** Deeper structures are cut: a log line describes, it does not dump. */
const MAX_DEPTH = 6;

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly write?: (line: string) => void;
  readonly now?: () => Date;
  readonly fields?: Record<string, unknown>;
}

/** Creates a logger; `time`, `level` and `message` are its own fields and cannot be overwritten. */
export function createLogger({
  level,
  write = (line) => void process.stderr.write(line),
  now = () => new Date(),
  fields: inherited = {},
}: LoggerOptions): Logger {
  const log =
    (at: Exclude<LogLevel, 'all' | 'none'>) =>
    (message: string, fields: Record<string, unknown> = {}): void => {
      if (RANK[at] < RANK[level]) return;
      const own = { time: now().toISOString(), level: at, message: withoutSecrets(message) };
      const rest = printable({ ...inherited, ...fields }, 0) as object;
      write(`${JSON.stringify({ ...own, ...rest, ...own })}\n`);
    };
  return {
    debug: log('debug'),
    info: log('info'),
    warn: log('warn'),
    error: log('error'),
    child: (fields) => createLogger({ level, write, now, fields: { ...inherited, ...fields } }),
  };
}

const withoutSecrets = (text: string): string => text.replace(SECRET_TEXT, REDACTED);

/** Turns any value into one that JSON can hold, without secrets, raw octets or endless depth. */
function printable(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return withoutSecrets(value);
  if (typeof value === 'bigint' || typeof value === 'symbol' || typeof value === 'function') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '[deeper]';
  if (value instanceof Error) return printableError(value, depth);
  if (value instanceof Date) return value.toISOString();
  // Octets are keys and packets: their length says enough.
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} octets]`;
  if (value instanceof Map) return printable(Object.fromEntries(value), depth);
  if (value instanceof Set || Array.isArray(value)) return [...value].map((item) => printable(item, depth + 1));
  return printableObject(value, depth);
}

function printableObject(value: object, depth: number): Record<string, unknown> {
  const isSecret = 'kind' in value && value.kind === 'Secret';
  const entries = Object.entries(value).map(([name, inner]) => {
    const isHidden = SECRET_NAME.test(name) || (isSecret && name === 'data');
    return [name, isHidden && inner !== undefined ? REDACTED : printable(inner, depth + 1)];
  });
  return Object.fromEntries(entries);
}

function printableError(error: Error, depth: number): Record<string, unknown> {
  const { name, message, stack, cause, ...rest } = error;
  // The stack repeats name and message on its first lines; the frames below them say where.
  const frames = stack?.split('\n').filter((line) => /^\s+at /.test(line));
  return {
    name,
    message: withoutSecrets(message),
    ...printableObject(rest, depth),
    ...(frames && { at: frames.slice(0, 6).map((line) => line.trim()) }),
    ...(cause !== undefined && { cause: printable(cause, depth + 1) }),
  };
}

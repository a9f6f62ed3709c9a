/** Runs tools: argument lists instead of shell lines, all output captured or sent to a log, errors that show what the tool said. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

/** How a tool is run. */
export interface RunOptions {
  readonly cwd?: string;
  /** Added to this process' environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  /** A file to read standard input from; excludes `input`. */
  readonly stdinFile?: string;
  /** A file that standard output replaces. */
  readonly stdoutFile?: string;
  /** A file that all output not otherwise taken is appended to. */
  readonly log?: string;
  /** SIGKILL to the tool and its children after so many milliseconds. */
  readonly timeoutMs?: number;
}

/** How a tool ended. */
export interface RunResult {
  /** The exit code; 128 + n after signal n. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A tool ended with something else than 0. */
export class CommandError extends Error {
  readonly reason = 'CommandFailed';
  readonly argv: readonly string[];
  readonly result: RunResult;
  constructor(argv: readonly string[], result: RunResult, hint = '') {
    const said = lastLines(result.stderr.trim() || result.stdout.trim(), 12);
    super(`${argv.slice(0, 6).join(' ')} ended with ${result.code}${hint}${said ? `:\n${said}` : ''}`);
    this.name = 'CommandError';
    this.argv = argv;
    this.result = result;
  }
}

/**
 * Runs a tool to its end.
 * @throws CommandError unless it ends with 0
 */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const result = await tryRun(argv, options);
  if (result.code !== 0) throw new CommandError(argv, result, options.log ? ` (all of it in ${options.log})` : '');
  return result;
}

/** Runs a tool to its end, whatever that is; a tool that does not exist ends with 127. */
export async function tryRun(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const files = openFiles(options);
  try {
    const child = start(argv, {
      ...(options.cwd ? { cwd: options.cwd } : {}),
      env: { ...process.env, ...options.env },
      stdio: [files.stdin ?? 'pipe', files.stdout ?? files.log ?? 'pipe', files.log ?? 'pipe'],
      detached: true,
    });
    if (files.stdin === undefined) feed(child, options.input);
    return await ending(child, options.timeoutMs);
  } finally {
    for (const file of Object.values(files)) if (file !== undefined) closeSync(file);
  }
}

/** Runs `producer | consumer` without a shell; both must end with 0. */
export async function pipe(
  producer: readonly string[],
  consumer: readonly string[],
  options: Pick<RunOptions, 'env' | 'log'> = {},
): Promise<RunResult> {
  const log = options.log ? openSync(options.log, 'a') : undefined;
  try {
    const env = { ...process.env, ...options.env };
    const from = start(producer, { env, detached: true, stdio: ['ignore', 'pipe', log ?? 'pipe'] });
    const into = start(consumer, { env, detached: true, stdio: [from.stdout, 'pipe', log ?? 'pipe'] });
    const [first, second] = await Promise.all([ending(from, undefined, true), ending(into, undefined)]);
    if (second.code !== 0) throw new CommandError(consumer, second);
    if (first.code !== 0) throw new CommandError(producer, first);
    return second;
  } finally {
    if (log !== undefined) closeSync(log);
  }
}

/** Starts a tool with the given streams. */
export function start(argv: readonly string[], options: SpawnOptions): ChildProcess {
  const [file, ...rest] = argv;
  if (file === undefined) throw new Error('an empty command line');
  return spawn(file, rest, options);
}

const underWay = new Set<ChildProcess>();

/** Ends every tool that is under way, with what it started; for a process that was told to stop. */
export function endTools(): void {
  for (const child of underWay) killGroup(child);
}

/** Waits for a child's end and collects what it wrote to its pipes. */
export function ending(child: ChildProcess, timeoutMs?: number, leaveStdout = false): Promise<RunResult> {
  return new Promise((resolve) => {
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    if (!leaveStdout) child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => killGroup(child), timeoutMs);
    underWay.add(child);
    const settle = (code: number, note = '') => {
      underWay.delete(child);
      clearTimeout(timer);
      resolve({ code, stdout: String(Buffer.concat(stdout)), stderr: String(Buffer.concat(stderr)) + note });
    };
    child.once('error', (error) => settle(127, error.message));
    child.once(leaveStdout ? 'exit' : 'close', (code, signal) => settle(code ?? 128 + signalNumber(signal)));
  });
}

/** Kills a child that leads a process group together with all of that group; one that is gone is no error. */
export function killGroup(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    child.kill(signal);
  }
}

function signalNumber(signal: unknown): number {
  const numbers: Record<string, number> = {
    SIGHUP: 1,
    SIGINT: 2,
    SIGQUIT: 3,
    SIGKILL: 9,
    SIGSEGV: 11,
    SIGPIPE: 13,
    SIGTERM: 15,
  };
  return numbers[String(signal)] ?? 1;
}

function openFiles(options: RunOptions): { stdin?: number; stdout?: number; log?: number } {
  return {
    ...(options.stdinFile ? { stdin: openSync(options.stdinFile, 'r') } : {}),
    ...(options.stdoutFile ? { stdout: openSync(options.stdoutFile, 'w') } : {}),
    ...(options.log ? { log: openSync(options.log, 'a') } : {}),
  };
}

function feed(child: ChildProcess, input: string | Uint8Array | undefined): void {
  // A tool that ends without reading its input closes the pipe: its exit code tells the story, not EPIPE.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
}

function lastLines(text: string, count: number): string {
  return text.split('\n').slice(-count).join('\n');
}

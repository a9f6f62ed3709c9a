/** What a command of `herald` is: its words, its options, and the world that it may touch. */

import type { ApiConnection } from '../cluster/api-connection.ts';

/** One option of a command; every value arrives as text. */
export interface Option {
  /** One letter, for `-o`. */
  readonly short?: string;
  /** What stands for the value in help, empty for a switch, which has none. */
  readonly placeholder: string;
  readonly help: string;
  /** The words that are allowed; missing allows any text. */
  readonly values?: readonly string[];
  /** May be given several times; its value is a list. */
  readonly isList?: boolean;
}
export type OptionTable = Readonly<Record<string, Option>>;

/** How to reach the cluster: as kubectl does where nothing is chosen. */
export interface ConnectionChoice {
  /** A path, or several separated by `:` as in KUBECONFIG. */
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
}

/** All that a command may see and do; the tests pass one of their own. */
export interface CommandIo {
  /** Writes text as it is, without a line end of its own. */
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Whether people read standard output: only then colours and bars as wide as the window. */
  readonly isTerminal: boolean;
  /** Columns of the window; 80 where there is none. */
  readonly columns: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => Date;
  /** The text of a file; `-` is standard input. @throws {CommandError} */
  readonly readFile: (path: string) => string;
  /** `path` itself if it is a file or `-`, else the files below it, sorted, without hidden ones. @throws {CommandError} */
  readonly listFiles: (path: string) => readonly string[];
  /** Writes a file and the directories on the way to it. @throws {CommandError} */
  readonly writeFile: (path: string, text: string) => void;
  /** The command closes what it opened. @throws {CommandError} */
  readonly connect: (choice: ConnectionChoice) => Promise<ApiConnection>;
}

export interface Command {
  readonly name: string;
  /** One line for `herald --help`, lower case, without a full stop. */
  readonly summary: string;
  /** What follows `herald NAME`: arguments in capitals, for instance `NAMESPACE/NAME`. */
  readonly usage: string;
  readonly options: OptionTable;
  /** Lines for people below the options: examples, exit codes. */
  readonly notes?: string;
  /** The words that an argument at the position of the last one may be, for completion in a shell. */
  readonly complete?: (positionals: readonly string[], io: CommandIo) => Promise<readonly string[]>;
  /** The exit code; 0 unless the notes say otherwise. @throws {CommandError} */
  readonly run: (args: readonly string[], io: CommandIo) => Promise<number>;
}

/** One clear sentence for people, with the place and the remedy; the process prints it and ends with 1. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** The options of every command that looks at a cluster. */
export const clusterOptions = {
  kubeconfig: {
    placeholder: 'FILE',
    help: 'How to reach the API server; without it KUBECONFIG, then ~/.kube/config, then the pod.',
  },
  context: { placeholder: 'NAME', help: 'The context of the kubeconfig; without it the current one.' },
  from: {
    placeholder: 'FILE',
    help: 'Look at an export instead of a cluster: objects as YAML or JSON, as `kubectl get -o yaml` prints them; - is standard input.',
  },
  'herald-namespace': {
    placeholder: 'NAME',
    help: 'Where Herald runs; without it, it is found by its labels.',
  },
} as const satisfies OptionTable;

export const outputOption = {
  output: { short: 'o', placeholder: 'FORMAT', help: 'table, json or yaml.', values: ['table', 'json', 'yaml'] },
} as const satisfies OptionTable;

export const namespaceOption = {
  namespace: { short: 'n', placeholder: 'NAME', help: 'The namespace of what is asked for.' },
} as const satisfies OptionTable;

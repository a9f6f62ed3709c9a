/** `herald convert`: manifests of today from what older MetalLBs read. */

import { noArguments, readArguments } from './arguments.ts';
import { type Command, CommandError, type CommandIo } from './command.ts';
import { type Conversion, convert as conversionOf } from './convert/convert.ts';
import { type Remark, remarkLine } from './convert/remarks.ts';
import { renderConversion } from './convert/render.ts';
import { manifestFiles, namedText } from './manifests/files.ts';

const options = {
  filename: {
    short: 'f',
    placeholder: 'FILE',
    help: 'What to convert: a file, a directory with all below it, or - for standard input. May be given several times.',
    isList: true,
  },
  namespace: {
    short: 'n',
    placeholder: 'NAME',
    help: 'The namespace of the manifests; without it that of their source, else metallb-system.',
  },
} as const;

export const convert: Command = {
  name: 'convert',
  summary: 'turn manifests and ConfigMaps of older MetalLBs into those of today',
  usage: '-f FILE|DIR|-',
  options,
  notes: [
    'It reads BGPPeer v1beta1, AddressPool, the ConfigMap of MetalLB 0.12 and older, and configInline in Helm values;',
    'what is of today already comes out as it is. Notes stand above the manifests and on standard error.',
    'Exit code 1: something cannot be read, and no manifest is printed.',
    '',
    '  kubectl -n metallb-system get configmap config -o yaml | herald convert -f - > config.yaml',
  ].join('\n'),
  async run(args: readonly string[], io: CommandIo): Promise<number> {
    const { values, positionals } = readArguments(args, options);
    noArguments(positionals);
    if (!values.filename) throw new CommandError('nothing to convert is named: write -f FILE, -f DIR or -f -');
    const files = values.filename.flatMap((path) => manifestFiles(path, io));
    const texts = files.map((file) => namedText(file, io));
    return report(conversionOf(texts, { namespace: values.namespace }), io);
  },
};

function report(conversion: Conversion, io: CommandIo): number {
  const { objects, notes, errors, others } = conversion;
  const say = (kind: string, remarks: readonly Remark[]): void => {
    for (const remark of remarks) io.stderr(`${kind}: ${remarkLine(remark)}\n`);
  };
  say('error', errors);
  if (errors.length > 0) return 1;
  if (objects.length === 0) throw new CommandError('there is no configuration of MetalLB in what it was given');
  say('note', notes);
  if (others > 0) io.stderr(`note: ${others} other ${others === 1 ? 'object is' : 'objects are'} left out\n`);
  io.stdout(renderConversion(conversion));
  return 0;
}

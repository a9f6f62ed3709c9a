/** Other people's programs, unchanged, built from their Go modules: e2e/tools/NAME/go.mod pins each of them. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { filesUnder, keyOf, keyOfFiles, once, prune } from './cache.ts';
import { findGo } from './go-tools.ts';
import { places, repository } from './places.ts';
import { run } from './process.ts';

/** The folder below e2e/tools, and the package to build of what its go.mod names; `.` is a program of that folder itself. */
export interface GoTool {
  readonly name: string;
  readonly package: string;
  /** Tells several programs of one folder apart. */
  readonly program?: string;
}

const ENV = { CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' };
/** The one in use and the one before it. */
const KEPT = 2;

/**
 * The path of the program, built where the cache does not hold it: minutes then, and the log says how far it is.
 * @throws Problem without Go, CommandError when the build fails
 */
export async function goTool(tool: GoTool, say: (line: string) => void = () => undefined): Promise<string> {
  const source = join(repository, 'e2e/tools', tool.name);
  const prefix = `${tool.program === undefined ? tool.name : `${tool.name}.${tool.program}`}-`;
  const path = join(places.tools, `${prefix}${keyOf(keyOfFiles(filesUnder(source)), process.arch)}`);
  if (!existsSync(path)) say(`building ${tool.name} from its Go module (minutes, once)`);
  await once(path, async (unfinished) => {
    mkdirSync(places.logs, { recursive: true });
    const build = ['build', '-trimpath', '-buildvcs=false', '-ldflags', '-s -w', '-o', unfinished, tool.package];
    await run([await findGo(), ...build], { cwd: source, env: ENV, log: join(places.logs, `${tool.name}.log`) });
  });
  prune(places.tools, prefix, KEPT);
  return path;
}

/** Downloads all that the tools of a folder are built from. @throws Problem without Go, CommandError when it fails */
export async function goModules(name: string): Promise<void> {
  await run([await findGo(), 'mod', 'download'], { cwd: join(repository, 'e2e/tools', name), env: ENV });
}

/** The folder of a module that the tool depends upon, for the files beside its sources. */
export async function goModule(tool: GoTool, module: string): Promise<string> {
  const download = [await findGo(), 'mod', 'download', '-json', module];
  const { stdout } = await run(download, { cwd: join(repository, 'e2e/tools', tool.name), env: ENV });
  return (JSON.parse(stdout) as { Dir: string }).Dir;
}

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { convert } from '../operator/cli/convert/convert.ts';
import { renderConversion } from '../operator/cli/convert/render.ts';
import { checkObject } from '../operator/cli/manifests/checked-object.ts';
import { kindOf } from '../operator/cli/manifests/known-kinds.ts';
import { type Manifest, type ManifestText, problemLine, readManifests } from '../operator/cli/manifests/manifest.ts';
import { spec } from '../testing/spec.ts';

const EXAMPLES = join(import.meta.dirname, '../examples');
const KUSTOMIZATION = 'kustomization.yaml';

const folders = readdirSync(EXAMPLES).filter((name) => statSync(join(EXAMPLES, name)).isDirectory());
const filesOf = (folder: string): string[] =>
  readdirSync(join(EXAMPLES, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(EXAMPLES, join(entry.parentPath, entry.name)));
const textOf = (file: string): string => readFileSync(join(EXAMPLES, file), 'utf8');
const manifestsOf = (folder: string): string[] =>
  filesOf(folder).filter((file) => file.endsWith('.yaml') && !file.endsWith(KUSTOMIZATION));
/** What a configuration looked like before it was converted is no manifest of today. */
const isOfToday = (file: string): boolean => !file.startsWith('migrate/before/');

const textsOf = (folder: string): ManifestText[] =>
  manifestsOf(folder)
    .filter(isOfToday)
    .map((name) => ({ name, text: textOf(name) }));

function complaintsAbout(manifest: Manifest): string[] {
  const { apiVersion, kind: kindName, name, content } = manifest;
  if (!(apiVersion && kindName && name)) return [`no object: ${JSON.stringify(content)}`];
  const kind = kindOf(manifest);
  if (kind === undefined) return [];
  return 'schema' in kind ? checkObject(manifest, kind).problems.map(problemLine) : [kind.message];
}

spec('examples', (test) => {
  test('are told of in their README, and each has one of its own', () => {
    const readme = textOf('README.md');
    for (const folder of folders) {
      assert.ok(readme.includes(`| [${folder}](${folder}) |`), folder);
      assert.ok(filesOf(folder).includes(`${folder}/README.md`), folder);
    }
    assert.is(readme.match(/^\| \[/gm)?.length, folders.length);
  });

  for (const folder of folders) {
    test(`in ${folder} pass what herald lint checks`, () => {
      const { manifests, problems } = readManifests(textsOf(folder));
      assert.ok(manifests.length > 0);
      assert.equal([...problems.map(problemLine), ...manifests.flatMap(complaintsAbout)], []);
    });

    test(`in ${folder} name in each kustomization files that exist, and every file beside it`, () => {
      for (const file of filesOf(folder).filter((name) => name.endsWith(KUSTOMIZATION))) {
        const at = join(EXAMPLES, dirname(file));
        const { resources } = parse(textOf(file)) as { resources: string[] };
        for (const resource of resources) assert.ok(statSync(join(at, resource)), `${file}: ${resource}`);
        const beside = readdirSync(at).filter((name) => name.endsWith('.yaml') && name !== KUSTOMIZATION);
        assert.equal(beside.sort(), resources.filter((name) => name.endsWith('.yaml')).sort(), file);
      }
    });
  }

  test('of what herald convert makes are what it makes', () => {
    const conversion = convert([{ name: 'config.yaml', text: textOf('migrate/before/config.yaml') }], {});
    assert.is(textOf('migrate/after/config.yaml'), renderConversion(conversion));
  });
});

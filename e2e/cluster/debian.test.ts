import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { missingPackages, servesDebian } from './debian.ts';

const deb822 = (uri: string, suites: string) => `Types: deb\nURIs: ${uri}\nSuites: ${suites}\nComponents: main\n`;

spec('debian', (test) => {
  test('asks for each missing package once', () => {
    assert.equal(
      missingPackages(() => true),
      [],
    );
    assert.equal(
      missingPackages((command) => !['docker', 'dockerd', 'nft'].includes(command)),
      ['docker.io', 'nftables'],
    );
  });
  test('knows the archive of a release in both formats', () => {
    assert.ok(servesDebian(deb822('http://mirror.example/debian', 'bookworm bookworm-updates'), 'bookworm'));
    assert.ok(servesDebian('deb http://mirror.example/debian bookworm main contrib\n', 'bookworm'));
    assert.ok(servesDebian('deb [signed-by=/k.gpg] http://mirror.example/debian/ bookworm main\n', 'bookworm'));
  });
  test('takes neither another release, nor only updates, nor third parties', () => {
    assert.not(servesDebian(deb822('http://mirror.example/debian', 'trixie'), 'bookworm'));
    assert.not(servesDebian(deb822('http://mirror.example/debian-security', 'bookworm-security'), 'bookworm'));
    assert.not(servesDebian('deb http://packages.example/apt cloud-sdk-bookworm main\n', 'bookworm'));
    assert.not(servesDebian('# deb http://mirror.example/debian bookworm main\n', 'bookworm'));
  });
});
